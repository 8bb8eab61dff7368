"""Every route with every method: 405 with Allow, OPTIONS, unknown paths, redirects."""
import pytest

from support.checks import assert_problem, nothing_stored

KEY_METHODS = "GET, HEAD, PUT, DELETE, OPTIONS"
READ_ONLY = "GET, HEAD, OPTIONS"
OPERATION = "/operations/0193a1b2-c3d4-7001-8abc-0123456789ab?key=some-key"
ROUTES = {
    "/store": "GET, HEAD, PUT, OPTIONS",
    "/batch": "POST, OPTIONS",
    "/store/some-key": KEY_METHODS,
    "/store/a/b//c": KEY_METHODS,
    "/store/health": KEY_METHODS,
    "/health/live": READ_ONLY,
    "/health/ready": READ_ONLY,
    "/metrics": READ_ONLY,
    "/openapi.json": READ_ONLY,
    OPERATION: READ_ONLY,
    "/": READ_ONLY,
    "/swagger-ui/index.html": READ_ONLY,
}
# BREW is no method at all, get is not GET (methods are case-sensitive), the rest exists elsewhere.
METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "TRACE", "PROPFIND", "LINK", "BREW", "get", "Put"]
# A proxy does not pass these on.
ANSWERED_BY_PROXIES = {"TRACE", "get", "Put"}
REFUSED = [pytest.param(method, path, marks=[pytest.mark.edge] if method in ANSWERED_BY_PROXIES else [])
           for path, allow in ROUTES.items() for method in METHODS if method not in allow.split(", ")]
UNKNOWN = ["/nowhere", "/Store", "/store2", "/stor", "/operations", "/Operations/", "/operation/x", "/health", "/health/", "/health/live/", "/health/alive", "/metrics/", "/metricsx", "/openapi.yaml",
           "/openapi.json/", "//", "//store/x", "/./store/x", pytest.param("/../store/x", marks=pytest.mark.edge), "/%73tore/x", "/store%2Fx", "/favicon.ico", "/index.html", "/admin", "/.git/config"]


@pytest.mark.parametrize("method, path", REFUSED)
def test_other_method_is_405(server, client, method, path):
    with nothing_stored(server, "some-key"):
        response = client.request(method, path, body=b"{}" if method in ("POST", "PUT", "PATCH") else None)
        assert response.status == 405, repr(response)
        assert response.header("Allow") == ROUTES[path]
        if method != "HEAD":
            problem = assert_problem(response, 405, "method-not-allowed")
            allow = problem["allow"]
            assert (allow if isinstance(allow, str) else ", ".join(allow)) == ROUTES[path]


@pytest.mark.parametrize("path", ROUTES)
def test_options(client, path):
    response = client.request("OPTIONS", path)
    assert response.status == 204 and response.body == b""
    assert response.header("Allow") == ROUTES[path]


@pytest.mark.parametrize("path", UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_unknown_path(server, client, method, path):
    with nothing_stored(server, "x"):
        assert_problem(client.request(method, path, body=b"x" if method == "PUT" else None), 404, "route-not-found")


@pytest.mark.parametrize("path", ["/nowhere", "/swagger-ui/nothing-here.js"])
def test_head_of_an_unknown_path_has_no_body(client, path):
    response = client.request("HEAD", path)
    assert response.status == 404 and response.body == b""


@pytest.mark.parametrize("path", [path for path, allow in ROUTES.items() if allow == READ_ONLY])
def test_head_is_get_without_body(client, path):
    head, got = client.request("HEAD", path), client.request("GET", path)
    assert (head.status, head.body) == (200, b"") and got.status == 200
    assert head.header("Content-Type") == got.header("Content-Type")


@pytest.mark.parametrize("path", ["/swagger-ui", "/swagger-ui/"])
def test_swagger_ui_redirects_to_its_index(client, path):
    response = client.request("GET", path)
    assert response.status == 308
    assert response.header("Location") == "/swagger-ui/index.html"


def test_query_does_not_change_the_route(client):
    assert client.request("GET", "/health/ready?verbose").status == 200
    assert_problem(client.request("GET", "/nowhere?/store/x"), 404, "route-not-found")
