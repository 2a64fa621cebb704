"""The read-only page in a real browser, and what it refuses."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import markupsafe
import pytest
import requests

from local.azure.devops import overview
from local.azure.kernel.cloud import Cloud
from local.azure.page import pages, rows
from tests.patience import PATIENCE_S
from tests.running_azure import RunningAzure

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
    assert (overview + shown).count("<script") == 2, "that of each page"
    assert re.search(r'<th scope="row">Status</th><td><span class="Running">Running<', shown)


def test_every_cell_is_escaped(fresh_azure: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of each kind, with HTML in every text that a client chooses."""
    metric = rows.Metric(name=NASTY, last=0.25, count=1)
    run = rows.RunRow(
        run_id=NASTY,
        name=NASTY,
        experiment=NASTY,
        status=NASTY,
        created="",
        metrics=[metric, metric],
        tags={NASTY: NASTY},
        build_id=NASTY,
        models=[],
    )
    model = rows.ModelRow(
        name=NASTY,
        version=NASTY,
        registered="",
        tags={NASTY: NASTY, "empty": None},
        run_id="a/b",
        build_id="7",
    )
    service = rows.ServiceRow(
        name=NASTY,
        deployment=NASTY,
        kind="Managed",
        traffic_percent=0,
        state=NASTY,
        models=NASTY,
        scoring_uri=NASTY,
    )
    compute = rows.ComputeRow(name=NASTY, type=NASTY, size=NASTY, state=NASTY)
    for name, made in {
        "top_level_runs": [{}],
        "run_row": run,
        "model_rows": [model],
        "endpoint_rows": [service],
        "service_rows": [rows.ServiceRow(name="bare", kind="Kubernetes", scoring_uri="")],
        "compute_rows": [compute],
    }.items():
        monkeypatch.setattr(rows, name, lambda *given, made=made: made)
    build = overview.BuildRow(
        anchor=NASTY,
        build_id="7",
        pipeline=NASTY,
        number=NASTY,
        state=NASTY,
        tags=NASTY,
        gate=NASTY,
        created="2026",
    )
    monkeypatch.setattr(overview, "rows", lambda *given: [build])
    text = pages.answer(fresh_azure, "GET", "127.0.0.1:1", "/").body.decode()
    escaped = str(markupsafe.escape(NASTY))
    assert NASTY not in text
    assert text.count("<script") == 1, "the page's own"
    assert text.count(escaped) > 30
    assert f">{escaped} 0.25, {escaped} 0.25</td>" in text
    assert '<a href="/runs/a%2Fb">a/b</a>' in text
    assert '<a href="/#build-7">build 7</a>' in text
    assert f"build {escaped}" in text, "no link where the build is not on the page"
    assert '<td role="cell" data-label="Traffic">0 %</td>' in text
    assert "None" not in text.partition("<script>")[0]


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
