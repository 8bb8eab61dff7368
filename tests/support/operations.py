"""GET /operations/{version}?key=: asking what became of a write, and waiting until it is known."""
from urllib.parse import quote, unquote_to_bytes

from support.checks import assert_version, version_of
from support.wait import until

# A write that was answered with 202 has been applied by then, on a loaded machine too.
APPLIED_WITHIN_SECONDS = 30


def operation_path(version, key):
    """With everything in the key encoded but the unreserved characters."""
    data = key.encode("utf-8") if isinstance(key, str) else key
    return f"/operations/{version}?key={quote(data, safe='')}"


def assert_operation(response, version, key, status):
    """A complete answer with that status; `effect` and `version` are there exactly when it was applied. Returns the body."""
    assert response.status == 200, repr(response)
    assert response.header("Content-Type") == "application/json"
    assert response.header("Cache-Control") == "no-store"
    body = response.json()
    assert body["operation"] == version and body["key"] == key
    assert body["status"] == status, f"{body} instead of {status}"
    assert set(body) == {"operation", "key", "status"} | ({"version", "effect"} if status == "applied" else set())
    assert response.header("Retry-After") == ("1" if status == "pending" else None)
    if status == "applied":
        assert_version(body["version"])
    return body


def assert_accepted(response, key):
    """A complete 202. Returns the location."""
    assert response.status == 202, repr(response)
    assert response.header("Content-Type") == "application/json"
    assert response.header("ETag") is None, "nothing is stored yet"
    version = version_of(response)
    assert response.json() == {"key": key, "version": version, "status": "pending"}
    location = response.header("Location")
    path, _, encoded = location.partition("?key=")
    assert path == f"/operations/{version}" and unquote_to_bytes(encoded) == key.encode("utf-8"), location
    assert location.isascii() and not set(encoded) & set(' &+=?#"<>'), location
    return location


def wait_until_applied(client, response, key):
    """The operation's last body, for any answer of a write: a 202 is followed, all others were decided at once."""
    version = version_of(response)
    location = assert_accepted(response, key) if response.status == 202 else operation_path(version, key)

    def decided():
        answer = client.request("GET", location)
        assert answer.status == 200, repr(answer)
        return answer if answer.json()["status"] != "pending" else None

    answer = until(decided, APPLIED_WITHIN_SECONDS, f"{location} is decided")
    return assert_operation(answer, version, key, "applied")
