"""What other programs read: the OpenAPI document and the metrics."""

import json
import os
import subprocess
import urllib.request

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from conftest import PATIENCE, start

PROMTOOL = os.environ.get("PROMTOOL", "promtool")


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE) as answer:
        return answer.headers.get("Content-Type"), answer.read()


def post(url, body):
    call = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.fixture(scope="module", params=["iris", "table"])
def one(request, models):
    """A server of one model."""
    name = request.param
    path = next(p for p in (models / name).rglob("model.*"))
    with start("serve", str(path), "--name", name) as running:
        yield running


def test_openapi_is_valid(server, one):
    for url in (server.url, one.url):
        document = json.loads(get(url + "/openapi.json")[1])
        assert document["openapi"].startswith("3.1")
        OpenAPIV31SpecValidator(document).validate()


def test_openapi_examples_work(one):
    document = json.loads(get(one.url + "/openapi.json")[1])
    tried = 0
    for path, methods in document["paths"].items():
        operation = methods.get("post", {})
        for parameter in operation.get("parameters", []):
            path = path.replace("{" + parameter["name"] + "}", str(parameter.get("example", "")))
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [body["example"]] if "example" in body else [e["value"] for e in body.get("examples", {}).values()]
        for example in examples:
            schema = {**body["schema"], "components": document.get("components", {})}
            jsonschema.validate(example, schema, cls=jsonschema.Draft202012Validator)
            post(one.url + path, example)
            tried += 1
    assert tried > 0


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text;version=1.0.0"])
def test_metrics_are_there(server, accept):
    kind, body = get(server.url + "/metrics", Accept=accept)
    assert kind.startswith(accept.split(";")[0])
    assert b'inference_requests_total{code="200",endpoint="predict",model="iris",protocol="grpc"' in body


def test_promtool_finds_nothing_wrong(server):
    metrics = get(server.url + "/metrics")[1]
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=metrics, capture_output=True, timeout=PATIENCE)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
