"""Assertions that several files need: the shape of a problem, of a version, and that the server is well afterwards."""
import contextlib
import re
import time

from support.client import Client
from support.http_raw import RawConnection
from support.metrics import fetch_metrics

VERSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PROBLEM_PREFIX = "urn:armazem:problem:"
# The same request may do better later with these; all other 4xx, 501 and 505 are the client's to change.
RETRYABLE_UNSAID = {408, 500, 504}


def problem_slug(response):
    return response.json()["type"].removeprefix(PROBLEM_PREFIX)


def assert_problem(response, status, *slugs):
    """A complete RFC 9457 body of ours with one of the slugs. Returns the body."""
    assert response.status == status, f"{response!r} instead of {status} {slugs}"
    assert (response.header("Content-Type") or "").split(";")[0] == "application/problem+json", repr(response)
    body = response.json()
    assert body["type"] in {PROBLEM_PREFIX + slug for slug in slugs}, f"{body} instead of {slugs}"
    assert body["status"] == status
    for member in ("title", "detail", "request_id"):
        assert isinstance(body[member], str) and body[member], f"{member} missing in {body}"
    assert isinstance(body["retryable"], bool)
    assert body["request_id"] == response.header("X-Request-Id"), repr(response)
    if status not in RETRYABLE_UNSAID:
        assert body["retryable"] == (status in (429, 503)), body
    if status == 503:
        assert re.fullmatch("[0-9]+", response.header("Retry-After") or ""), repr(response)
    return body


def assert_version(text):
    assert isinstance(text, str) and VERSION.fullmatch(text), f"no version: {text!r}"
    return text


def version_of(response):
    """The version of a write's answer; the ETag and the body, where there are some, must agree with it."""
    version = assert_version(response.header("Armazem-Version"))
    if response.header("ETag") is not None:
        assert response.header("ETag") == f'"{version}"'
    if response.body and response.status in (200, 201):
        assert response.json()["version"] == version
    return version


def version_ahead(seconds):
    """A well-formed version that lies `seconds` in the future of this machine's clock."""
    milliseconds = int((time.time() + seconds) * 1000)
    text = f"{milliseconds:012x}"
    return f"{text[:8]}-{text[8:]}-7000-8000-000000000000"


def assert_alive(address):
    """A new connection is served: the test before did not take the server down with it."""
    client = Client(address)
    try:
        response = client.request("GET", "/health/live")
        assert response.status == 200 and response.json()["status"] == "live"
    finally:
        client.close()


def _mutations(server):
    """How many mutations the store has seen, or None for a server that others use too."""
    if not server.owned:
        return None
    samples = fetch_metrics(server.address).samples
    found = [value for (name, _), value in samples.items()
             if re.fullmatch(r"armazem_store_(mutations|outcomes)(_total)?", name)]
    assert found, "no armazem_store_mutations_total or armazem_store_outcomes_total in /metrics"
    return sum(found)


@contextlib.contextmanager
def nothing_stored(server, *keys):
    """Around a refused request: the server answers afterwards, the store saw no write, the keys are absent."""
    before = _mutations(server)
    yield
    assert_alive(server.address)
    assert _mutations(server) == before, "the store has seen a write"
    client = Client(server.address)
    try:
        for key in keys:
            assert client.get(key).status == 404, f"{key!r} was stored"
    finally:
        client.close()


def send_refused(server, data, status, *slugs, closes=None):
    """Sends bytes on a connection of their own; the answer must be this problem. `closes`: what the
    connection does afterwards, None where both are allowed."""
    with RawConnection(server.address) as connection:
        response = connection.exchange(data)
        body = assert_problem(response, status, *slugs)
        if closes is True:
            assert connection.closed_by_server(), "the connection stayed open or more was sent"
        if closes is False:
            assert_usable(connection)
        return body


def assert_usable(connection):
    response = connection.exchange(b"GET /health/live HTTP/1.1\r\nHost: t\r\n\r\n")
    assert response.status == 200, repr(response)
