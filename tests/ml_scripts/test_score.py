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

from tests.patience import PATIENCE_S

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows"),
]

ROOT = Path(__file__).resolve().parents[2]
COMPLIANT = "new condition carbon fiber component manufactured in 2004"
NOT_COMPLIANT = "manufactured in 2016 made of plastic in good condition"


@contextmanager
def inference_server(model_root: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:0", "-w", "1"]
    command += ["--timeout", "120", "azureml_inference_server_http.server.entry:app"]
    environment = os.environ | {
        "AML_APP_ROOT": str(ROOT / "ml_scripts"),
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": str(model_root),
        "AML_APP_INSIGHTS_ENABLED": "false",
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
def scoring_address(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # As Azure ML mounts it: the registered folder below the model's root.
    root = tmp_path_factory.mktemp("root")
    (root / "model").mkdir()
    for file in small_model.iterdir():
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


def test_texts_and_ids_are_scored(scoring_address: str, small_model: Path) -> None:
    from vocabulary import Vocabulary

    ids = Vocabulary.load(small_model).encode([NOT_COMPLIANT])[0].tolist()
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
        *(b"", b"not JSON", b"\xff\xfe", [COMPLIANT], {"rows": [COMPLIANT]}, {"data": []}),
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
    response = post(scoring_address, {"data": [COMPLIANT, NOT_COMPLIANT] * 500})
    assert response.json()["predictions"] == [0, 1] * 500


def test_without_a_model_the_server_does_not_live(tmp_path: Path) -> None:
    with inference_server(tmp_path) as server:
        read_until(server, r"FileNotFoundError: There are 0 files model\.keras below .*Next: ")
        assert server.stdout is not None
        server.stdout.read()
        assert server.wait(PATIENCE_S) != 0


def test_two_models_are_ambiguous(tmp_path: Path) -> None:
    import score

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.keras").touch()
    with pytest.raises(FileNotFoundError, match="There are 2 files"):
        score.find_model(tmp_path)
