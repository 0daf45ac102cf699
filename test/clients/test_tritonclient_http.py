"""tritonclient over HTTP: the Open Inference Protocol in JSON and in binary."""

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from conftest import KEY

BOTH = pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.http) as client:
        yield client


def tensor(name, values, datatype, binary, shape=None):
    dtype = {"BYTES": np.object_, "BOOL": np.bool_, "INT64": np.int64, "INT32": np.int32, "FP32": np.float32}.get(datatype, np.float64)
    array = np.array(values, dtype=dtype)
    if shape:
        array = array.reshape(shape)
    return triton.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)


def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("iris")
    assert not client.is_model_ready("irish")
    assert client.get_server_metadata()["name"] == "mizzen"


def test_model_metadata_of_a_numeric_model_is_one_matrix(client):
    metadata = client.get_model_metadata("iris")
    assert metadata["inputs"] == [{"name": "input-0", "datatype": "FP64", "shape": [-1, 4]}]
    outputs = {output["name"]: (output["datatype"], output["shape"]) for output in metadata["outputs"]}
    assert outputs["predict"] == ("INT64", [-1])
    assert outputs["predict_proba"] == ("FP64", [-1, 3])


def test_model_metadata_of_a_table_is_a_tensor_a_column(client, table):
    inputs = client.get_model_metadata("table")["inputs"]
    assert [(i["name"], i["shape"]) for i in inputs] == [(name, [-1]) for name in table.columns]


@BOTH
def test_infer_answers_the_default_method(client, iris, binary):
    result = client.infer("iris", [tensor("input-0", iris.rows, "FP64", binary)])
    assert [o["name"] for o in result.get_response()["outputs"]] == ["predict"]
    assert result.as_numpy("predict").tolist() == iris.labels


@BOTH
@pytest.mark.parametrize("out", [True, False], ids=["binary-out", "json-out"])
def test_infer_answers_the_outputs_asked_for(client, iris, binary, out):
    asked = [triton.InferRequestedOutput(name, binary_data=out) for name in ("predict_proba", "output-0")]
    result = client.infer("iris", [tensor("float_input", iris.rows, "FP64", binary)], outputs=asked, request_id="42")
    assert result.get_response()["id"] == "42"
    assert result.as_numpy("predict_proba").tolist() == iris.probabilities
    assert result.as_numpy("output-0").tolist() == iris.labels


@BOTH
@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT64", "INT32"])
def test_infer_takes_every_number(client, iris, binary, datatype):
    result = client.infer("iris", [tensor("predict", iris.rows, datatype, binary)])
    assert result.as_numpy("predict").tolist() == iris.labels


@BOTH
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)], ids=["n", "n-by-1"])
def test_infer_takes_a_tensor_a_column_with_strings(client, table, binary, shape):
    inputs = [tensor(name, values, table.datatypes[name], binary, shape) for name, values in table.columns.items()]
    asked = [triton.InferRequestedOutput(name) for name in ("predict", "predict_proba")]
    result = client.infer("table", list(reversed(inputs)), outputs=asked)
    assert [label.decode() for label in result.as_numpy("predict")] == table.labels
    assert result.as_numpy("predict_proba").tolist() == table.probabilities


@BOTH
@pytest.mark.parametrize("there", [None, "gzip", "deflate"])
@pytest.mark.parametrize("back", [None, "gzip", "deflate"])
def test_infer_is_compressed_both_ways(client, iris, binary, there, back):
    rows = iris.rows * 100
    result = client.infer(
        "iris",
        [tensor("input-0", rows, "FP64", binary)],
        outputs=[triton.InferRequestedOutput("predict_proba", binary_data=binary)],
        request_compression_algorithm=there,
        response_compression_algorithm=back,
    )
    assert result.as_numpy("predict_proba").tolist() == iris.probabilities * 100


def test_async_infer(client, iris):
    pending = [client.async_infer("iris", [tensor("input-0", [row], "FP64", True)]) for row in iris.rows]
    assert [p.get_result().as_numpy("predict").tolist() for p in pending] == [[label] for label in iris.labels]


def test_versions_can_be_named(client, iris):
    version = client.get_model_metadata("iris")["versions"][0]
    result = client.infer("iris", [tensor("input-0", iris.rows, "FP64", True)], model_version=version)
    assert result.as_numpy("predict").tolist() == iris.labels
    assert not client.is_model_ready("iris", model_version="99")


def test_errors_say_what_and_where(client, iris):
    with pytest.raises(InferenceServerException) as unknown:
        client.infer("irish", [tensor("input-0", iris.rows, "FP64", True)])
    assert "did you mean iris?" in unknown.value.message()
    with pytest.raises(InferenceServerException) as narrow:
        client.infer("iris", [tensor("input-0", [[1, 2, 3]], "FP64", True)])
    assert narrow.value.message() == "inputs[0].shape: got 3 values, expected 4"


def test_repository_index(client):
    states = {m["name"]: m["state"] for m in client.get_model_repository_index()}
    assert states == {"iris": "READY", "table": "READY"}


def test_load_and_unload_need_leave_and_key(client, guarded):
    with pytest.raises(InferenceServerException, match="switched on"):
        client.unload_model("table")
    with triton.InferenceServerClient(guarded.http) as guest:
        assert guest.is_server_ready()
        with pytest.raises(InferenceServerException, match="API key is needed"):
            guest.unload_model("table")
        for key in ({"X-API-Key": KEY}, {"Authorization": "Bearer " + KEY}):
            guest.unload_model("table", headers=key)
            assert not guest.is_model_ready("table", headers=key)
            guest.load_model("table", headers=key)
            assert guest.is_model_ready("table", headers=key)
