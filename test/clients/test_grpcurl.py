"""grpcurl: JSON to gRPC by reflection, with nothing but the server's address."""

import json
import os
import subprocess

from conftest import PATIENCE

GRPCURL = os.environ.get("GRPCURL", "grpcurl")


def grpcurl(*args, data=None):
    command = [GRPCURL, "-plaintext", *(["-d", json.dumps(data)] if data is not None else []), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_list_and_describe(server):
    services = grpcurl(server.grpc, "list").split()
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= set(services)
    assert "rpc ModelInfer" in grpcurl(server.grpc, "describe", "inference.GRPCInferenceService")


def test_infer(server, iris):
    request = {
        "model_name": "iris",
        "inputs": [{"name": "x", "datatype": "FP64", "shape": [2, 4], "contents": {"fp64_contents": sum(iris.rows, [])}}],
    }
    answer = json.loads(grpcurl(server.grpc, "inference.GRPCInferenceService/ModelInfer", data=request))
    assert answer["outputs"] == [
        {"name": "predict", "datatype": "INT64", "shape": ["2"], "contents": {"int64Contents": [str(label) for label in iris.labels]}}
    ]


def test_health(server):
    assert json.loads(grpcurl(server.grpc, "grpc.health.v1.Health/Check")) == {"status": "SERVING"}
