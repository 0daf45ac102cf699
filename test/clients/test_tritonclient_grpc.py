"""tritonclient over gRPC: inference, streams, metadata, repository; and the
standard health service."""

import queue

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.utils import InferenceServerException

from conftest import KEY, PATIENCE


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client


def tensor(name, values, datatype, shape=None):
    dtype = {"BYTES": np.object_, "BOOL": np.bool_, "FP32": np.float32, "FP16": np.float16, "INT8": np.int8, "UINT16": np.uint16, "INT64": np.int64}.get(datatype, np.float64)
    array = np.array(values, dtype=dtype)
    if shape:
        array = array.reshape(shape)
    return triton.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array)


def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("iris")
    assert not client.is_model_ready("irish")
    assert client.get_server_metadata().name == "mizzen"
    metadata = client.get_model_metadata("iris", as_json=True)
    assert metadata["inputs"] == [{"name": "input-0", "datatype": "FP64", "shape": ["-1", "4"]}]


def test_standard_health_service(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "inference.GRPCInferenceService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_infer(client, iris, compression):
    asked = [triton.InferRequestedOutput(name) for name in ("predict_proba", "predict")]
    result = client.infer("iris", [tensor("input-0", iris.rows, "FP64")], outputs=asked, request_id="7", compression_algorithm=compression)
    assert result.get_response().id == "7"
    assert result.as_numpy("predict").tolist() == iris.labels
    assert result.as_numpy("predict_proba").tolist() == iris.probabilities


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "FP16", "INT8", "UINT16", "INT64"])
def test_infer_takes_every_number(client, iris, datatype):
    result = client.infer("iris", [tensor("x", iris.rows, datatype)])
    assert result.as_numpy("predict").tolist() == iris.labels


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)], ids=["n", "n-by-1"])
def test_infer_takes_a_tensor_a_column_with_strings(client, table, shape):
    inputs = [tensor(name, values, table.datatypes[name], shape) for name, values in table.columns.items()]
    asked = [triton.InferRequestedOutput(name) for name in ("predict", "predict_proba")]
    result = client.infer("table", inputs, outputs=asked)
    assert [label.decode() for label in result.as_numpy("predict")] == table.labels
    assert result.as_numpy("predict_proba").tolist() == table.probabilities


def test_async_infer(client, iris):
    answers = queue.Queue()
    client.async_infer("iris", [tensor("input-0", iris.rows, "FP64")], callback=lambda result, error: answers.put((result, error)))
    result, error = answers.get(timeout=PATIENCE)
    assert error is None
    assert result.as_numpy("predict").tolist() == iris.labels


def test_stream_infer_goes_on_after_an_error(client, iris):
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    client.async_stream_infer("iris", [tensor("input-0", iris.rows, "FP64")], request_id="a", enable_empty_final_response=True)
    client.async_stream_infer("iris", [tensor("input-0", [[1.0]], "FP64")], request_id="b")
    client.async_stream_infer("iris", [tensor("input-0", iris.rows, "FP64")], request_id="c")
    (a, _), (_, error), (c, _) = [answers.get(timeout=PATIENCE) for _ in range(3)]
    client.stop_stream()
    assert [a.get_response().id, c.get_response().id] == ["a", "c"]
    assert a.as_numpy("predict").tolist() == c.as_numpy("predict").tolist() == iris.labels
    assert a.get_response().parameters["triton_final_response"].bool_param
    assert error.message() == "inputs[0].shape: got 1 value, expected 4"


def test_errors_say_what_and_where(client, iris):
    with pytest.raises(InferenceServerException) as unknown:
        client.infer("irish", [tensor("input-0", iris.rows, "FP64")])
    assert unknown.value.status() == "StatusCode.NOT_FOUND"
    with pytest.raises(InferenceServerException) as output:
        client.infer("iris", [tensor("input-0", iris.rows, "FP64")], outputs=[triton.InferRequestedOutput("probabilities")])
    assert output.value.status() == "StatusCode.INVALID_ARGUMENT"
    assert "it has predict, predict_proba" in output.value.message()


def test_repository_index(client):
    states = {m.name: m.state for m in client.get_model_repository_index().models}
    assert states == {"iris": "READY", "table": "READY"}


def test_load_and_unload_need_leave_and_key(client, guarded):
    with pytest.raises(InferenceServerException, match="switched on"):
        client.unload_model("table")
    with triton.InferenceServerClient(guarded.grpc) as guest:
        assert guest.is_server_ready()
        with pytest.raises(InferenceServerException, match="API key is needed"):
            guest.unload_model("table")
        for key in ({"x-api-key": KEY}, {"authorization": "Bearer " + KEY}):
            guest.unload_model("table", headers=key)
            assert not guest.is_model_ready("table", headers=key)
            guest.load_model("table", headers=key)
            assert guest.is_model_ready("table", headers=key)
