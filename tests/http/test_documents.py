"""What the server says about itself: OpenAPI, Swagger UI, the dashboard; all from its own address."""
import json
import re

import pytest

from support.checks import assert_problem

PATHS = {"/store", "/batch", "/store/{key}", "/operations/{version}", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/", "/swagger-ui/{file}"}
OPERATIONS = {"/store": {"get", "head", "put"}, "/store/{key}": {"get", "head", "put", "delete"}, "/batch": {"post"}, "/operations/{version}": {"get", "head"},
              "/health/live": {"get"}, "/health/ready": {"get"}, "/metrics": {"get"}}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TYPES = {"html": "text/html", "css": "text/css", "js": ("text/javascript", "application/javascript"), "png": "image/png", "svg": "image/svg+xml", "json": "application/json"}


@pytest.fixture
def openapi(client):
    response = client.request("GET", "/openapi.json")
    assert response.status == 200
    assert response.header("Content-Type").split(";")[0] in ("application/json", "application/openapi+json")
    return response.json()


def test_openapi_names_every_route_and_operation(openapi):
    assert re.fullmatch(r"3\.1\.\d+", openapi["openapi"])
    assert openapi["info"]["title"] and openapi["info"]["version"]
    assert PATHS <= set(openapi["paths"]), f"missing: {PATHS - set(openapi['paths'])}"
    for path, wanted in OPERATIONS.items():
        assert wanted <= set(openapi["paths"][path]) & METHODS, path


def test_openapi_promises_no_route_that_is_not_there(openapi, client):
    for path, item in openapi["paths"].items():
        target = path.replace("{key}", "k").replace("{file}", "index.html").replace("{version}", "v")
        allow = client.request("OPTIONS", target).header("Allow").lower().split(", ")
        assert set(item) & METHODS <= set(allow), path


def test_openapi_operations_are_complete(openapi):
    """Every operation says what its successes and refusals look like; names are unique for generators."""
    names = []
    for path, item in openapi["paths"].items():
        for method in set(item) & METHODS:
            operation = item[method]
            assert operation["responses"], f"{method} {path}"
            assert operation.get("summary") or operation.get("description"), f"{method} {path}"
            if "operationId" in operation:
                names.append(operation["operationId"])
        if "{key}" in path:
            shared = item.get("parameters", [])
            for method in set(item) & METHODS:
                parameters = shared + item[method].get("parameters", [])
                assert any("$ref" in parameter or parameter.get("name") == "key" for parameter in parameters), f"{method} {path}"
    assert len(names) == len(set(names))


def test_openapi_references_lead_somewhere(openapi):
    for reference in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(openapi)):
        assert reference.startswith("#/"), reference
        place = openapi
        for step in reference[2:].split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]


def assert_page_with_local_parts(client, path):
    """An HTML page whose scripts, styles and pictures all come from this server: no third party is asked."""
    page = client.request("GET", path)
    assert page.status == 200 and page.header("Content-Type").startswith("text/html")
    text = page.body.decode("utf-8")
    assert "<html" in text.lower()
    folder = path.rsplit("/", 1)[0]
    parts = re.findall(r'<(?:script|link|img)\b[^>]*?\b(?:src|href)="([^"]+)"', text)
    loaded = {}
    for part in parts:
        if part.startswith("data:"):
            continue
        assert not re.match("(https?:)?//", part), f"{part} comes from elsewhere"
        target = part if part.startswith("/") else f"{folder}/{part.removeprefix('./')}"
        response = client.request("GET", target)
        assert response.status == 200 and response.body, f"{target}: {response.status}"
        ending = target.split("?")[0].rsplit(".", 1)[-1]
        if ending in TYPES:
            assert response.header("Content-Type").split(";")[0] in TYPES[ending], target
        loaded[target] = response.body
    return text, loaded


def test_swagger_ui(client):
    text, parts = assert_page_with_local_parts(client, "/swagger-ui/index.html")
    assert any(name.endswith(".css") for name in parts) and any(name.endswith(".js") for name in parts), list(parts)
    assert "swagger" in text.lower()
    # The page shows our document, not the example shop.
    small = [body for name, body in parts.items() if name.endswith(".js") and len(body) < 20_000]
    assert "/openapi.json" in text or any(b"/openapi.json" in body for body in small)
    assert "petstore" not in text and not any(b"petstore" in body for body in small)


def test_dashboard(client):
    assert_page_with_local_parts(client, "/")


@pytest.mark.parametrize("name", ["nothing-here.js", "..%2f..%2fetc%2fpasswd", "../openapi.json", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd",
                                  "index.html/", "index.html%00.js", "a/b.js", ".", ".."])
def test_swagger_ui_serves_only_its_files(client, name):
    response = client.request("GET", "/swagger-ui/" + name)
    assert response.status in (400, 404), repr(response)
    assert_problem(response, response.status, "route-not-found", "not-found", "percent-encoding-invalid", "request-invalid")
