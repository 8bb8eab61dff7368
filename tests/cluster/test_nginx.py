"""NGINX before fake APIs: paths arrive byte for byte, a write is sent once, own errors are problems, answers stay."""
import contextlib
import json
import re

import pytest

from cluster.nginx import Nginx
from cluster.settings import Settings
from support.checks import assert_problem
from support.fake_upstream import FakeUpstream
from support.http_raw import RawConnection, request_bytes
from support.keys import AWKWARD_KEYS, path_fully_encoded, path_of
from support.wait import until

READS, WRITES = ["GET", "HEAD", "OPTIONS"], ["PUT", "POST", "DELETE", "PATCH"]


@contextlib.contextmanager
def running_nginx(directory, *upstreams):
    settings = Settings.make(directory / "data", free_ports=True)
    settings.save()
    nginx = Nginx(settings, [upstream.port for upstream in upstreams])
    try:
        nginx.launch()
        nginx.wait(nginx.problem)
        yield nginx
    finally:
        nginx.stop(say=lambda text: None)
        for upstream in upstreams:
            upstream.close()


@pytest.fixture(scope="module")
def edge(module_scratch):
    """One NGINX before one API that is well."""
    api = FakeUpstream()
    with running_nginx(module_scratch, api) as nginx:
        nginx.api = api
        yield nginx


@pytest.fixture
def edge_before(scratch):
    """Called with fake APIs, gives an NGINX of the test's own before them."""
    with contextlib.ExitStack() as stack:
        yield lambda *upstreams: stack.enter_context(running_nginx(scratch, *upstreams))


def ask(nginx, method, target, headers=(), body=None):
    with RawConnection(("127.0.0.1", nginx.port)) as connection:
        return connection.exchange(request_bytes(method, target, headers, body), method)


def send(nginx, data):
    with RawConnection(("127.0.0.1", nginx.port)) as connection:
        return connection.exchange(data)


# NGINX refuses a path that leads above the root, however it is spelled, before any configuration is asked.
ABOVE_ROOT = {"climbing"}
PATHS = {name: path for name, key in AWKWARD_KEYS.items() if name not in ABOVE_ROOT
         for name, path in ((name, path_of(key)), (name + "-encoded", path_fully_encoded(key)))}
PATHS |= {"raw-utf8": b"/store/\xc3\xa9", "query": "/store/a?raw", "query-slashes": "/store/a?x=//%2F..",
          "of-the-edge": "/.edge/bad-gateway", "up-to-the-edge": "/store/../.edge/internal",
          "watch": "/watch?prefix=a//b%2F", "like-watch": "/store/../watch"}


@pytest.mark.parametrize("method", READS + WRITES)
def test_paths_arrive_byte_for_byte(edge, method):
    edge.api.requests.clear()
    expected = []
    for path in PATHS.values():
        ask(edge, method, path, body=b"x" if method in ("PUT", "POST", "PATCH") else None)
        expected.append((method.encode(), path if isinstance(path, bytes) else path.encode()))
    assert edge.api.targets() == expected


def test_a_path_above_the_root_is_a_problem_and_not_another_path(edge):
    edge.api.requests.clear()
    assert_problem(ask(edge, "GET", path_of(AWKWARD_KEYS["climbing"])), 400, "request-invalid")
    assert edge.api.targets() == []


@pytest.mark.parametrize("body", [b"", b"x" * 100, bytes(range(256)) * 8192], ids=["empty", "small", "2MiB"])
def test_a_body_arrives_whole(edge, body):
    edge.api.requests.clear()
    assert ask(edge, "PUT", "/store/k", body=body).status == 200
    assert edge.api.requests[-1].split(b"\r\n\r\n", 1)[1] == body


@pytest.mark.parametrize("given", ["a", "req-7f3a", "A.b_c:d/e+f=g@h-1", "x" * 128])
def test_a_wellformed_request_id_goes_through(edge, given):
    edge.api.requests.clear()
    assert ask(edge, "GET", "/store/k", {"X-Request-Id": given}).header("X-Request-Id") == given
    assert f"\r\nX-Request-Id: {given}\r\n".encode() in edge.api.requests[-1]


@pytest.mark.parametrize("given", [None, "", "a b", "é", "x" * 129, "a,b", '"'])
def test_else_a_new_one_is_made(edge, given):
    edge.api.requests.clear()
    response = ask(edge, "GET", "/store/k", {"X-Request-Id": given} if given is not None else {})
    made = response.header("X-Request-Id")
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert f"\r\nX-Request-Id: {made}\r\n".encode() in edge.api.requests[-1]


def test_nobody_says_where_he_comes_from(edge):
    edge.api.requests.clear()
    ask(edge, "GET", "/store/k", {"X-Forwarded-For": "1.2.3.4"})
    assert b"1.2.3.4" not in edge.api.requests[-1] and b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in edge.api.requests[-1]


@pytest.mark.parametrize("method", WRITES)
def test_a_write_is_sent_once(edge_before, method):
    """The API takes the request and is gone: whether it was applied is unknown, so nobody else gets it."""
    apis = [FakeUpstream(lambda request: None) for _ in range(3)]
    nginx = edge_before(*apis)
    body = assert_bad_gateway(ask(nginx, method, "/store/k", body=b"v"))
    assert body["retryable"] is False and "may or may not" in body["detail"]
    assert sum(len(api.targets()) for api in apis) == 1


def test_a_read_is_asked_twice(edge_before):
    apis = [FakeUpstream(lambda request: None) for _ in range(3)]
    nginx = edge_before(*apis)
    body = assert_bad_gateway(ask(nginx, "GET", "/store/k"))
    assert body["retryable"] is True and "write" not in body["detail"]
    assert sum(len(api.targets()) for api in apis) == 2


def test_reads_go_on_when_an_api_is_gone(edge_before):
    gone, well = FakeUpstream(), FakeUpstream()
    nginx = edge_before(gone, well)
    gone.close()
    assert {ask(nginx, "GET", "/store/k").status for _ in range(10)} == {200}


def assert_bad_gateway(response):
    assert response.status == 502 and response.header("Content-Type") == "application/problem+json"
    body = response.json()
    assert body["type"] == "urn:armazem:problem:bad-gateway" and body["request_id"] == response.header("X-Request-Id")
    assert response.header("Retry-After") == "1"
    return body


ANSWERS = {
    "503": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nours",
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nours",
    "413": b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nours",
    "418": b"HTTP/1.1 418 Teapot\r\nContent-Length: 4\r\n\r\nours",
    "500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nours",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nours",
    "504": b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 4\r\n\r\nours",
}


def test_an_apis_own_answer_is_never_replaced(edge_before):
    api = FakeUpstream(lambda request: ANSWERS[request.split(b" ")[1].rsplit(b"/", 1)[1].decode()])
    nginx = edge_before(api)
    for status in ANSWERS:
        for method in ("GET", "PUT"):
            response = ask(nginx, method, f"/store/{status}")
            assert (response.status, response.body) == (int(status), b"ours")
            assert response.header("Retry-After") == ("7" if status == "503" else None)
    assert len(api.targets()) == 2 * len(ANSWERS), "an answer, also a 503, is not asked for again"


LINES = b" HTTP/1.1\r\nHost: h\r\n"
REFUSED = {
    "garbage": (b"GARBAGE\r\n\r\n", 400, "request-invalid"),
    "no-host": (b"GET / HTTP/1.1\r\n\r\n", 400, "request-invalid"),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40, 400, "request-invalid"),
    "two-lengths": (b"PUT /store/k" + LINES + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                    400, "request-invalid"),
    "long-target": (b"GET /" + b"a" * 20000 + LINES + b"\r\n", 414, "uri-too-long"),
    "long-header": (b"GET /" + LINES + b"X: " + b"a" * 20000 + b"\r\n\r\n", 431, "headers-too-large"),
    "unknown-coding": (b"PUT /store/k" + LINES + b"Transfer-Encoding: gzip\r\n\r\n",
                       501, "transfer-encoding-unsupported"),
    "http-3": (b"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, "http-version-unsupported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nginx_refuses_is_a_problem(edge, name):
    data, status, slug = REFUSED[name]
    edge.api.requests.clear()
    response = send(edge, data)
    assert_problem(response, status, slug)
    assert "nginx/" not in (response.header("Server") or "")
    assert edge.api.targets() == []


def test_a_body_that_is_too_large_is_a_problem(edge):
    response = send(edge, request_bytes("PUT", "/store/k", {"Content-Length": str(10**9)}))
    assert_problem(response, 413, "value-too-large")


def test_trace_is_a_problem_with_allow(edge):
    response = send(edge, request_bytes("TRACE", "/store/k"))
    body = assert_problem(response, 405, "method-not-allowed")
    assert response.header("Allow") == body["allow"]


def test_events_come_at_once(edge_before):
    """The stream stays open, so an event that was held back would never arrive."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    nginx = edge_before(FakeUpstream(lambda request: head + b"b\r\ndata: one\n\n\r\n"))
    with RawConnection(("127.0.0.1", nginx.port)) as connection:
        connection.send(request_bytes("GET", "/watch?prefix="))
        seen = b""
        while b"data: one\n\n" not in seen:
            data = connection.socket.recv(4096)
            assert data, seen
            seen += data


def test_the_access_log_is_json_with_the_request_id(edge):
    ask(edge, "GET", "/store/logged", {"X-Request-Id": "log-me"})
    log = edge.settings.data / "logs" / "nginx-access.log"

    def record():
        lines = [json.loads(line) for line in log.read_text(errors="replace").splitlines()]  # a raw byte stays one
        return next((line for line in lines if line["request_id"] == "log-me"), None)
    found = until(record, 20, "the line in the access log")
    assert found["request"] == "GET /store/logged HTTP/1.1" and found["status"] == 200
