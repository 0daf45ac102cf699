"""The KServe SDK's inference clients: REST in versions 1 and 2, and gRPC."""

import asyncio

import httpx
import numpy as np
import pandas as pd
import pytest
from kserve import InferInput, InferRequest, InferenceGRPCClient, InferenceRESTClient, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


def rest(protocol, call):
    """Runs a call with a REST client of the protocol."""

    async def run():
        async with InferenceRESTClient(RESTConfig(protocol=protocol)) as client:
            return await call(client)

    return asyncio.run(run())


def rpc(server, call):
    """Runs a call with a gRPC client."""

    async def run():
        async with InferenceGRPCClient(server.grpc) as client:
            return await call(client)

    return asyncio.run(run())


def request(model, rows, name="input-0", datatype="FP64", raw=False, **more):
    tensor = InferInput(name, [len(rows), len(rows[0])], datatype)
    if raw:
        tensor.set_data_from_numpy(np.array(rows, dtype=np.float64), binary_data=True)
    else:
        tensor.data = [value for row in rows for value in row]
    return InferRequest(model, [tensor], **more)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_readiness(server, protocol):
    assert rest(protocol, lambda c: c.is_model_ready(server.url, "iris")) is True


def test_server_health(server):
    assert rest("v2", lambda c: c.is_server_live(server.url)) is True
    assert rest("v2", lambda c: c.is_server_ready(server.url)) is True
    assert rest("v1", lambda c: c.is_server_live(server.url)) is True


def test_v1_predict(server, iris):
    answer = rest("v1", lambda c: c.infer(server.url, {"instances": iris.rows}, model_name="iris"))
    assert answer == {"predictions": iris.labels}


def test_v1_predict_takes_records(server, table):
    records = [{k: None if v != v else v for k, v in row.items()} for row in table.rows]
    answer = rest("v1", lambda c: c.infer(server.url, {"instances": records}, model_name="table"))
    assert answer == {"predictions": table.labels}


@pytest.mark.parametrize("raw", [False, True], ids=["json", "binary"])
def test_v2_infer(server, iris, raw):
    answer = rest("v2", lambda c: c.infer(server.url, request("iris", iris.rows, raw=raw, request_id="7"), model_name="iris"))
    assert answer.id == "7"
    assert answer.outputs[0].name == "predict"
    assert answer.outputs[0].as_numpy().tolist() == iris.labels


def test_v2_infer_with_binary_answer(server, iris):
    asked = request("iris", iris.rows, raw=True, parameters={"binary_data_output": True}, request_outputs=[RequestedOutput("predict_proba")])
    answer = rest("v2", lambda c: c.infer(server.url, asked, model_name="iris"))
    assert answer.outputs[0].as_numpy().tolist() == iris.probabilities


def test_v2_infer_takes_a_tensor_a_column(server, table):
    tensors = [InferInput(name, [len(values)], table.datatypes[name], data=values) for name, values in table.columns.items() if name != "age"]
    age = InferInput("age", [len(table.rows)], "FP64")
    age.set_data_from_numpy(np.array(table.columns["age"]), binary_data=True)  # JSON has no NaN
    answer = rest("v2", lambda c: c.infer(server.url, InferRequest("table", [age, *tensors]), model_name="table"))
    assert answer.outputs[0].data == table.labels


def test_v2_errors_are_read_by_the_client(server, iris):
    with pytest.raises(httpx.HTTPStatusError, match="did you mean iris"):
        rest("v2", lambda c: c.infer(server.url, request("irish", iris.rows), model_name="irish"))


def test_grpc_health(server):
    assert rpc(server, lambda c: c.is_server_live()) is True
    assert rpc(server, lambda c: c.is_server_ready()) is True
    assert rpc(server, lambda c: c.is_model_ready("iris")) is True


@pytest.mark.parametrize("raw", [False, True], ids=["typed", "raw"])
def test_grpc_infer(server, iris, raw):
    asked = request("iris", iris.rows, raw=raw, request_id="7", request_outputs=[RequestedOutput("predict"), RequestedOutput("predict_proba")])
    answer = rpc(server, lambda c: c.infer(asked))
    assert answer.id == "7"
    assert answer.outputs[0].as_numpy().tolist() == iris.labels
    assert answer.outputs[1].as_numpy().tolist() == iris.probabilities


def test_grpc_infer_of_lists_answers_lists(server, iris):
    answer = rpc(server, lambda c: c.infer(request("iris", iris.rows)))
    assert answer.outputs[0].data == iris.labels


def test_grpc_infer_of_a_table_mixes_raw_and_typed(server, table):
    frame = pd.DataFrame(table.rows)
    tensors = [InferInput(name, [len(frame)], table.datatypes[name], data=frame[name].tolist()) for name in frame if name != "age"]
    age = InferInput("age", [len(frame)], "FP64")
    age.set_data_from_numpy(frame["age"].to_numpy())
    answer = rpc(server, lambda c: c.infer(InferRequest("table", [age, *tensors])))
    assert [label.decode() for label in answer.outputs[0].as_numpy()] == table.labels
