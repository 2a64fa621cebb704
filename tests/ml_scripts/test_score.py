"""score.py under the real inference server, as Azure ML starts it but on loopback."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")

ROOT = Path(__file__).resolve().parents[2]
COMPLIANT = "new condition carbon fiber component manufactured in 2004"
NOT_COMPLIANT = "manufactured in 2016 made of plastic in good condition"


@contextmanager
def inference_server(model_root: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:0", "-w", "1"]
    command += ["--timeout", "120", "azureml_inference_server_http.server.entry:app"]
    environment = os.environ | {
        "AML_APP_ROOT": str(ROOT / "ml_scripts"),
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": str(model_root),
        "AML_APP_INSIGHTS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            yield server
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


def read_until(server: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    seen = []
    assert server.stdout is not None
    for line in server.stdout:
        seen.append(line)
        if match := re.search(pattern, line):
            return match
    raise AssertionError(f"The server ended without {pattern}:\n{''.join(seen)}")


@pytest.fixture(scope="module")
def scoring_address(rule_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # As Azure ML mounts it: the registered folder below the model's root.
    root = tmp_path_factory.mktemp("root")
    (root / "model").mkdir()
    for file in rule_model.iterdir():
        (root / "model" / file.name).write_bytes(file.read_bytes())
    with inference_server(root) as server:
        address = read_until(server, r"Listening at: (http://127\.0\.0\.1:\d+)")[1]
        read_until(server, "ready for serving traffic")
        # Nobody reads the pipe any more, and a full one would block the server.
        threading.Thread(target=lambda: [None for _ in server.stdout or ()], daemon=True).start()
        yield address


def post(address: str, body: Any) -> requests.Response:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return requests.post(
        f"{address}/score",
        data=body,
        headers={"Content-Type": "application/json"},
        proxies={"http": ""},
        timeout=PATIENCE_S,
    )


def test_texts_and_ids_are_scored(scoring_address: str, rule_model: Path) -> None:
    from vocabulary import Vocabulary

    ids = Vocabulary.load(rule_model).encode([NOT_COMPLIANT])[0].tolist()
    response = post(scoring_address, {"data": [COMPLIANT, NOT_COMPLIANT, ids]})
    assert response.status_code == 200
    answer = response.json()
    assert answer.keys() == {"predictions", "scores"}
    assert answer["predictions"] == [0, 1, 1]
    assert answer["scores"][1] == pytest.approx(answer["scores"][2])
    assert answer["scores"][0] < 0.5 < answer["scores"][1]


def test_smoke_rows_of_the_sample(scoring_address: str) -> None:
    path = ROOT / "samples" / "compliance-classifier" / "smoke.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert {row["expected"] for row in rows} == {0, 1}
    response = post(scoring_address, {"data": [row["input"] for row in rows]})
    assert response.json()["predictions"] == [row["expected"] for row in rows]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"not JSON", b"\xff\xfe", [], {"rows": [COMPLIANT]}, {"data": []}),
        *({"data": COMPLIANT}, {"data": [""]}, {"data": [[1, 2]]}, {"data": [[-1] * 100]}),
        *({"data": [[10**9] * 100]}, {"data": [[0.5] * 100]}, {"data": [COMPLIANT, None]}),
    ],
)
def test_malformed_request_is_a_client_error(body: Any, scoring_address: str) -> None:
    response = post(scoring_address, body)
    assert 400 <= response.status_code < 500
    assert response.json()


def test_malformed_requests_do_no_harm(scoring_address: str) -> None:
    assert post(scoring_address, {"data": [COMPLIANT]}).json()["predictions"] == [0]
    assert requests.get(scoring_address, proxies={"http": ""}, timeout=PATIENCE_S).text == "Healthy"


def test_many_rows(scoring_address: str) -> None:
    response = post(scoring_address, [COMPLIANT, NOT_COMPLIANT] * 500)
    assert response.json()["predictions"] == [0, 1] * 500


def test_too_many_rows_are_refused_as_such(scoring_address: str) -> None:
    response = post(scoring_address, [COMPLIANT] * 10_001)
    assert response.status_code == 413
    assert "10000 are the most" in response.json()["error"]


@pytest.mark.parametrize("version", ["2", "3"])
def test_schema_is_published_and_holds(scoring_address: str, version: str) -> None:
    found = requests.get(
        f"{scoring_address}/swagger.json",
        params={"version": version},
        proxies={"http": ""},
        timeout=30,
    )
    assert found.status_code == 200
    document = found.json()
    schemas = document["definitions"] if version == "2" else document["components"]["schemas"]
    asked, answered = schemas["ServiceInput"], schemas["ServiceOutput"]
    resolver = {**document, **asked}
    Draft202012Validator(resolver).validate(asked["example"])
    assert "responses" in document["paths"]["/score"]["post"]
    assert document["paths"]["/score"]["post"]["responses"].keys() == {
        *("200", "400", "413", "default")
    }
    answer = post(scoring_address, asked["example"]).json()
    Draft202012Validator(answered).validate(answer)
    assert answer["predictions"] == answered["example"]["predictions"]
    malformed: list[dict[str, Any]] = [{"data": []}, {"rows": ["a"]}, {"data": ["a"], "more": 1}]
    for refused in malformed:
        assert not Draft202012Validator(resolver).is_valid(refused)
        assert post(scoring_address, refused).status_code == 400


def test_schema_has_the_limits_of_the_code() -> None:
    from payload import MAX_ROWS
    from vocabulary import SEQUENCE_LENGTH

    documents = [
        json.loads((ROOT / "ml_scripts" / name).read_text(encoding="utf-8"))
        for name in ("swagger.json", "swagger3.json")
    ]
    rows = documents[1]["components"]["schemas"]["Rows"]
    ids = rows["items"]["oneOf"][1]
    assert (ids["minItems"], ids["maxItems"]) == (SEQUENCE_LENGTH, SEQUENCE_LENGTH)
    assert rows["maxItems"] == MAX_ROWS
    assert documents[0]["definitions"]["ServiceInput"]["properties"]["data"]["maxItems"] == MAX_ROWS


def test_the_service_imports_no_tensorflow(rule_model: Path) -> None:
    program = (
        "import sys, score; score.init(); "
        "score.run('[\"steel\"]'); "
        "print(sorted({'tensorflow', 'keras', 'pandas'} & sys.modules.keys()))"
    )
    environment = os.environ | {
        "AZUREML_MODEL_DIR": str(rule_model),
        "PYTHONPATH": str(ROOT / "ml_scripts"),
    }
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_data_is_collected_where_the_deployment_says_so(rule_model: Path) -> None:
    on = {"AZUREML_MDC_ENABLED": "true", "AZUREML_MDC_LOCAL_CAPTURE": "true"}
    with inference_server(rule_model, **on) as server:
        address = read_until(server, r"Listening at: (http://127\.0\.0\.1:\d+)")[1]
        read_until(server, "ready for serving traffic")
        assert post(address, [COMPLIANT]).json()["predictions"] == [0]
        read_until(server, f"model_inputs.*{COMPLIANT}")
        read_until(server, r"model_outputs.*prediction.*0")


def test_a_collector_that_fails_fails_no_prediction(rule_model: Path, tmp_path: Path) -> None:
    # A file of settings that is not there.
    on = {"AZUREML_MDC_CONFIG_PATH": str(tmp_path / "missing.json")}
    with inference_server(rule_model, **on) as server:
        address = read_until(server, r"Listening at: (http://127\.0\.0\.1:\d+)")[1]
        read_until(server, "Data collection cannot start")
        read_until(server, "ready for serving traffic")
        assert post(address, [COMPLIANT]).json()["predictions"] == [0]


def test_a_diverged_model_does_not_live(rule_model: Path, tmp_path: Path) -> None:
    import dataclasses

    import numpy as np
    from forward import Scorer

    scorer = Scorer.load(rule_model)
    vectors = np.full_like(scorer.weights.vectors, np.nan)
    scorer.vocabulary.save(tmp_path)
    dataclasses.replace(scorer.weights, vectors=vectors).save(tmp_path)
    with inference_server(tmp_path) as server:
        read_until(server, r"ValueError: The model in .* gives scores that are not numbers")
        assert server.stdout is not None
        server.stdout.read()
        assert server.wait(30) != 0


def test_without_a_model_the_server_does_not_live(tmp_path: Path) -> None:
    with inference_server(tmp_path) as server:
        read_until(server, r"FileNotFoundError: There are 0 files weights\.npz below .*Next: ")
        assert server.stdout is not None
        server.stdout.read()
        assert server.wait(PATIENCE_S) != 0


def test_two_models_are_ambiguous(tmp_path: Path) -> None:
    import score

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.npz").touch()
    with pytest.raises(FileNotFoundError, match="There are 2 files"):
        score.find_model(tmp_path)
