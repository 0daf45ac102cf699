"""MLServer's request shapes, made and read by its own codecs, over REST and
gRPC."""

import json
import urllib.request

import grpc
import numpy as np
import pandas as pd
import pytest
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, PandasCodec, StringCodec
from mlserver.grpc import dataplane_pb2_grpc
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.types import InferenceRequest, InferenceResponse, RequestOutput

from conftest import PATIENCE


def rest(server, model, request):
    body = request.model_dump_json(exclude_none=True).encode()
    call = urllib.request.Request(f"{server.url}/v2/models/{model}/infer", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=PATIENCE) as answer:
        return InferenceResponse.model_validate(json.load(answer))


@pytest.fixture(params=["rest", "grpc", "grpc-raw"])
def infer(request, server):
    """Sends a request in one of the ways that MLServer has."""
    if request.param == "rest":
        yield lambda model, message: rest(server, model, message)
        return
    raw = request.param == "grpc-raw"
    with grpc.insecure_channel(server.grpc) as channel:
        stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(channel)

        def call(model, message):
            wire = ModelInferRequestConverter.from_types(message, model_name=model, model_version=None, use_raw=raw)
            return ModelInferResponseConverter.to_types(stub.ModelInfer(wire, timeout=PATIENCE))

        yield call


def test_numpy_codec(infer, iris):
    request = NumpyRequestCodec.encode_request(np.array(iris.rows))
    answer = infer("iris", request)
    assert NumpyCodec.decode_output(answer.outputs[0]).flatten().tolist() == iris.labels


def test_input_of_any_name_and_outputs_by_method(infer, iris):
    request = InferenceRequest(
        id="7",
        inputs=[NumpyCodec.encode_input("predict", np.array(iris.rows, dtype=np.float32))],
        outputs=[RequestOutput(name="predict"), RequestOutput(name="predict_proba")],
    )
    answer = infer("iris", request)
    assert answer.id == "7"
    assert [output.name for output in answer.outputs] == ["predict", "predict_proba"]
    assert NumpyCodec.decode_output(answer.outputs[1]).tolist() == iris.probabilities


def test_pandas_codec(infer, table):
    frame = pd.DataFrame(table.rows).astype({"sex": object, "port": object})
    frame = frame[frame.age.notna()]  # MLServer writes NaN as null, which no typed message can hold
    request = PandasCodec.encode_request(frame)
    assert request.parameters.content_type == "pd"
    answer = infer("table", request)
    assert [label for label, row in zip(table.labels, table.rows) if row["age"] == row["age"]] == StringCodec.decode_output(answer.outputs[0])


def test_pandas_codec_with_missing_numbers_over_rest(server, table):
    frame = pd.DataFrame(table.rows).astype({"sex": object, "port": object})
    assert frame.age.isna().any()
    answer = rest(server, "table", PandasCodec.encode_request(frame, use_bytes=False))
    assert StringCodec.decode_output(answer.outputs[0]) == table.labels


def test_one_label_a_row_has_shape_n(infer, iris):
    answer = infer("iris", NumpyRequestCodec.encode_request(np.array(iris.rows)))
    assert answer.outputs[0].shape == [2]
