"""Routing: scopes, placeholders, specificity, hosts."""

from __future__ import annotations

import pytest

from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.web import ANY, Router, route_table

SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
API = "eastus.api.azureml.ms"


def table(*declared, host=None):
    router = Router(host) if host else Router()
    for methods, path in declared:

        def answer(azure, request):
            return Response()

        router.route(methods, path)(answer)
    return route_table([router])


def test_placeholders_are_unquoted_after_matching():
    found = table(("GET", "/h{workspace}/runs/{run}/artifacts/{path:rest}")).find(
        "GET", API, f"/h{SCOPE}/runs/a%2Fb/artifacts/x/y%20z"
    )
    assert found.params == {"run": "a/b", "path": "x/y z"}
    assert found.scope == ("s", "g", "w")


@pytest.mark.parametrize(
    "path",
    [
        f"/h{SCOPE}/x",
        f"/h{SCOPE}/x/",
        f"//h{SCOPE}//x",
        f"/h{SCOPE}/x".replace("resourceGroups", "resourcegroups"),
        f"/h{SCOPE}/x".replace("Microsoft", "microsoft"),
    ],
)
def test_slashes_and_the_case_of_literals_do_not_matter(path):
    assert table(("GET", "/h{workspace}/x")).find("GET", API, path)


def test_the_most_specific_route_wins_in_any_order():
    paths = ["/a/{rest:rest}", "/a/{x}", "/a/b", "/a/{x}:query", "/{x}/b", "/a/{x}/c"]
    for order in (paths, paths[::-1]):
        routes = table(*(("GET", path) for path in order))

        def matched(path, routes=routes):
            return routes.find("GET", API, path).route.path

        assert matched("/a/b") == "/a/b"
        assert matched("/a/c") == "/a/{x}"
        assert matched("/a/c:query") == "/a/{x}:query"
        assert matched("/a/x/c") == "/a/{x}/c"
        assert matched("/a/x/d") == "/a/{rest:rest}"
        assert matched("/z/b") == "/{x}/b"


def test_other_methods_hosts_and_paths_are_not_found():
    routes = table(("GET|PUT", "/a"))
    assert routes.find("PUT", API, "/a")
    assert routes.find("POST", API, "/a") is None
    assert routes.find("GET", "management.azure.com", "/a") is None
    assert routes.find("GET", API, "/a/b") is None
    assert routes.knows_host("westus.api.azureml.ms")
    assert not routes.knows_host("management.azure.com")


def request(body):
    return Request(method="POST", host=API, path="/", query={}, headers={}, body=body)


def test_bodies():
    assert request(b'\xef\xbb\xbf{"a": 1}').json() == {"a": 1}
    assert request(b" ").json() is None
    assert request(b"").json_object() == {}
    with pytest.raises(ServiceError, match="not JSON") as raised:
        request(b"{").json()
    assert raised.value.status == 400
    with pytest.raises(ServiceError, match="must be a JSON object"):
        request(b"[]").json_object()


@pytest.mark.parametrize(
    ("query", "strange"),
    [
        ({}, []),
        ({"api-version": "1", "TOP": "3", "expand": "True"}, []),
        ({"filter": "x"}, ["filter"]),
        ({"expand": "false", "top": "1"}, ["expand=false"]),
        ({"expands": "true"}, ["expands"]),
    ],
)
def test_a_route_knows_its_parameters_and_some_with_one_value_only(query, strange):
    router = Router()
    router.route("GET", "/x", query=("top", "expand=true"))(lambda *_: Response())
    (route,) = router.routes
    assert route.strange_parameters(query) == strange


def test_a_route_without_a_word_about_it_takes_no_parameter():
    router = Router()
    router.route("GET", "/x")(lambda *_: Response())
    router.route("GET", "/y", query=ANY)(lambda *_: Response())
    assert [route.strange_parameters({"a": "b"}) for route in router.routes] == [["a"], []]
