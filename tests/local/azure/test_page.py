"""The read-only page in a real browser, and what it refuses."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from tests.local.azure.conftest import RunningAzure
from tests.patience import PATIENCE_S

NASTY = "<script>document.title = 'owned'</script>"


@pytest.fixture(scope="module")
def browse(
    local_azure: RunningAzure, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """What Chromium makes of a path of the page: its document, as HTML."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no Chromium on this machine (CI installs it, see .ci/run)")
    profile = tmp_path_factory.mktemp("browser")

    def open_page(path: str) -> str:
        command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        # The variables of the test session lead browsers to the proxy, too.
        command += [f"--user-data-dir={profile}", "--virtual-time-budget=1000", "--dump-dom"]
        done = subprocess.run(
            [*command, local_azure.environment["HTTPS_PROXY"] + path],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
        return done.stdout

    return open_page


@pytest.fixture(scope="module")
def nasty_run(local_azure: RunningAzure, azure_http: requests.Session) -> str:
    """A run whose name, tags and metric are HTML."""
    api = f"https://eastus.api.azureml.ms/mlflow/v2.0{local_azure.scope}/api/2.0/mlflow"
    tags = [{"key": "note", "value": NASTY}]
    made = azure_http.post(f"{api}/runs/create", json={"run_name": NASTY, "tags": tags})
    run_id: str = made.json()["run"]["info"]["run_id"]
    metric = {"run_id": run_id, "key": NASTY, "value": 0.5}
    assert azure_http.post(f"{api}/runs/log-metric", json=metric).ok
    return run_id


def test_a_browser_shows_runs_and_follows_to_one(
    browse: Callable[[str], str], nasty_run: str
) -> None:
    overview = browse("/")
    assert "<title>Local Azure</title>" in overview
    assert {"Models", "Online endpoints and web services", "Compute targets"} <= set(
        re.findall(r"<h2>([^<]*)</h2>", overview)
    )
    links = re.findall(r'<a href="(/runs/[^"]+)">([^<]*)</a>', overview)
    assert (f"/runs/{nasty_run}", html.escape(NASTY, quote=False)) in links
    shown = browse(f"/runs/{nasty_run}")
    assert f"<title>{html.escape(NASTY, quote=False)}</title>" in shown
    assert "<script" not in overview + shown
    assert re.search(r'<th scope="row">Status</th><td><span class="Running">Running<', shown)


def test_no_secret_is_on_the_page(local_azure: RunningAzure) -> None:
    text = ask(local_azure).text
    assert local_azure.environment["AML_SUBSCRIPTION_ID"] in text
    assert local_azure.environment["AZURE_CLIENT_SECRET"] not in text


def ask(
    azure: RunningAzure, method: str = "GET", path: str = "/", **headers: str
) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, azure.environment["HTTPS_PROXY"] + path, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/", None, 200),
        ("HEAD", "/", None, 200),
        ("GET", "/", "localhost:1", 200),
        ("GET", "/", "evil.example", 403),
        ("GET", "/", "127.0.0.1.evil.example:80", 403),
        ("POST", "/", None, 405),
        ("GET", "/runs/nobody", None, 404),
        ("GET", "/../state.db", None, 404),
    ],
)
def test_what_it_answers(
    local_azure: RunningAzure, method: str, path: str, host: str | None, status: int
) -> None:
    named = {"Host": host or urlsplit(local_azure.environment["HTTPS_PROXY"]).netloc}
    answer = ask(local_azure, method, path, **named)
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["content-security-policy"]
