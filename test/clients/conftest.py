"""A running Mizzen, and what the models in it answer.

The models were trained and saved by scikit-learn; the expected answers are its
own: those of iris as the README has them, those of the table from its fixture.
"""

import json
import os
import pathlib
import subprocess
import tarfile
import threading
from types import SimpleNamespace

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIZZEN = os.environ.get("MIZZEN", str(ROOT / "bin" / "mizzen"))
FIXTURES = ROOT / "test" / "fixtures" / "sklearn-1.7.2.tar.xz"
# A random forest behind a ColumnTransformer: numbers, strings, missing values.
TABLE = "table-rf"

# How long anything may take; nothing should come near.
PATIENCE = 30


@pytest.fixture(scope="session")
def fixture_files(tmp_path_factory):
    """The table's model file and its case, out of the fixtures."""
    folder = tmp_path_factory.mktemp("fixtures")
    with tarfile.open(FIXTURES) as archive:
        for name in archive.getnames():
            if pathlib.PurePath(name).stem == TABLE:
                (folder / pathlib.PurePath(name).name).write_bytes(archive.extractfile(name).read())
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory, fixture_files):
    """A directory of two models: iris and table."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "iris").mkdir()
    (folder / "iris" / "model.pkl").write_bytes((ROOT / "examples" / "iris" / "model.pkl").read_bytes())
    (folder / "table" / "1").mkdir(parents=True)
    (folder / "table" / "1" / "model.joblib").write_bytes((fixture_files / f"{TABLE}.joblib").read_bytes())
    return folder


@pytest.fixture(scope="session")
def server(models):
    """The addresses of a server of the models; it stops after the tests."""
    with start("serve", str(models)) as running:
        yield running


KEY = "a-key-of-the-tests"


@pytest.fixture
def guarded(models):
    """A server that asks for KEY, and loads and unloads for whoever has it."""
    with start("serve", str(models), "--allow-load", API_KEY=KEY) as running:
        yield running


class start:
    """A Mizzen that serves on free loopback ports until the block ends."""

    def __init__(self, *args, **env):
        self.args, self.env = args, env

    def __enter__(self):
        self.process = subprocess.Popen(
            [MIZZEN, *self.args, "--address", "127.0.0.1", "--port", "0", "--grpc-port", "0", "--log-format", "json"],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.env},
        )
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("msg") == "ready":
                break
        else:
            raise RuntimeError("mizzen did not become ready:\n" + "".join(lines))
        watchdog.cancel()
        # The pipe must not fill up.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        host, port = event["http"].rsplit(":", 1)
        return SimpleNamespace(http=event["http"], grpc=event["grpc"], host=host, port=int(port), url="http://" + event["http"])

    def __exit__(self, *_):
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, f"mizzen stopped with {code}"


@pytest.fixture(scope="session")
def iris():
    """Rows of iris, and what scikit-learn says of them."""
    return SimpleNamespace(
        rows=[[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]],
        labels=[0, 2],
        probabilities=[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    )


@pytest.fixture(scope="session")
def table(fixture_files):
    """Columns of the table, and what scikit-learn says of its rows."""
    case = json.loads((fixture_files / f"{TABLE}.json").read_text())["sets"]["test"]
    expect, names = case["expect"], case["inputs"]["columns"]
    width = expect["predict_proba"]["shape"][1]
    rows, labels, probabilities = [], [], []
    for i, record in enumerate(case["inputs"]["records"]):
        # A tensor of strings has no place for a missing one.
        if all(isinstance(record[name], str) and record[name] != "NaN" for name in ("sex", "port")):
            rows.append({k: float("nan") if v == "NaN" else v for k, v in record.items()})
            labels.append(expect["predict"]["values"][i])
            probabilities.append(expect["predict_proba"]["values"][i * width : (i + 1) * width])
    return SimpleNamespace(
        rows=rows,
        columns={name: [row[name] for row in rows] for name in names},
        datatypes={"age": "FP64", "fare": "FP64", "rooms": "INT64", "sex": "BYTES", "port": "BYTES", "member": "BOOL"},
        labels=labels,
        probabilities=probabilities,
    )
