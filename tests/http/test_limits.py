"""Sizes: value, header block, request target. Each refusal names its limit; the connection does as promised."""
import json

import pytest

from support.checks import assert_problem, assert_usable, nothing_stored, send_refused
from support.http_raw import RawConnection, request_bytes
from support.keys import path_of

VALUE_MAX = 1024 * 1024
TARGET_MAX = 8192
HEAD_MAX = 32 * 1024
FIELDS_MAX = 100
SMALL_MAX = 4096  # for the server that is started with --value-max


def json_body(key, size):
    return json.dumps({"key": key, "value": "x" * size}).encode()


@pytest.mark.parametrize("over", [1, 1000])
@pytest.mark.parametrize("form", ["raw", "json"])
def test_value_over_the_limit(server, client, key, over, form):
    size = VALUE_MAX + over
    with nothing_stored(server, key):
        if form == "raw":
            response = client.put(key, b"x" * size)
        else:
            response = client.put_json_text(json_body(key, size))
        problem = assert_problem(response, 413, "value-too-large")
        assert problem["limit"] == VALUE_MAX
        if form == "raw":
            assert problem["size"] == size


@pytest.mark.edge
@pytest.mark.parametrize("size", [20 * 1024 * 1024, 2**31, 2**32 + 5, 2**40])
def test_announced_size_is_refused_before_the_body(server, key, size):
    """Only the head is sent: a server that waits for the body, or reserves it, fails here."""
    with nothing_stored(server, key):
        problem = send_refused(server, request_bytes("PUT", path_of(key), {"Content-Length": str(size)}), 413, "value-too-large")
        assert problem["limit"] == VALUE_MAX and problem["size"] == size


@pytest.mark.parametrize("size", [2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, 10**30])
def test_absurd_announced_size(server, key, size):
    """Too large or not a number a machine can hold: both are true, wrapping around to a small one is not."""
    with nothing_stored(server, key), RawConnection(server.address) as connection:
        response = connection.exchange(request_bytes("PUT", path_of(key), {"Content-Length": str(size)}))
        assert response.status in (400, 413)
        assert_problem(response, response.status, "value-too-large", "request-invalid")


@pytest.mark.edge
def test_twenty_mebibytes_are_answered_not_reset(server, key):
    """The client is still sending when it is refused, and must get to read why."""
    with nothing_stored(server, key), RawConnection(server.address) as connection:
        connection.send(request_bytes("PUT", path_of(key), (), b"x" * (20 * 1024 * 1024)))
        problem = assert_problem(connection.read(), 413, "value-too-large")
        assert problem["limit"] == VALUE_MAX


def test_old_value_survives_a_refused_one(client, key):
    client.put(key, b"old")
    assert client.put(key, b"x" * (VALUE_MAX + 1)).status == 413
    assert client.get_raw(key).body == b"old"


class TestSmallLimit:
    """With --value-max a body over the limit is small enough to be read away: the connection stays usable."""

    @pytest.fixture
    def small(self, start_server):
        return start_server("--value-max", str(SMALL_MAX))

    def test_connection_stays_usable(self, small, make_client, key):
        with nothing_stored(small, key), RawConnection(small.address) as connection:
            for _ in range(5):
                response = connection.exchange(request_bytes("PUT", path_of(key), (), b"x" * (SMALL_MAX + 1)))
                problem = assert_problem(response, 413, "value-too-large")
                assert (problem["limit"], problem["size"]) == (SMALL_MAX, SMALL_MAX + 1)
                assert not response.closes()
                assert_usable(connection)
            response = connection.exchange(request_bytes("PUT", "/store", {"Content-Type": "application/json"}, json_body(key, SMALL_MAX + 1)))
            assert assert_problem(response, 413, "value-too-large")["limit"] == SMALL_MAX
            assert_usable(connection)
        assert make_client(small).put(key, b"x" * SMALL_MAX).status == 201
        assert make_client(small).put_json(key, "x" * SMALL_MAX).status == 200

    def test_chunked_body(self, small, key):
        """Its size is not known before its end, so 'small enough to read away' is the server's guess: usable or closed."""
        with nothing_stored(small, key), RawConnection(small.address) as connection:
            body = b"%x\r\n" % (SMALL_MAX + 1) + b"x" * (SMALL_MAX + 1) + b"\r\n0\r\n\r\n"
            response = connection.exchange(request_bytes("PUT", path_of(key), {"Transfer-Encoding": "chunked"}, body))
            assert assert_problem(response, 413, "value-too-large")["limit"] == SMALL_MAX
            if response.closes():
                assert connection.closed_by_server()
            else:
                assert_usable(connection)


@pytest.mark.edge
class TestTarget:
    def test_longest_target_reaches_the_key_check(self, server, client):
        path = "/store/".ljust(TARGET_MAX, "a")
        problem = assert_problem(client.request("GET", path), 400, "key-invalid")
        assert problem["size"] == TARGET_MAX - len("/store/")

    @pytest.mark.parametrize("target", ["/store/".ljust(TARGET_MAX + 1, "a"), "/store/k?" + "q" * TARGET_MAX, "/" + "%61" * 10_000, "/" * 30_000],
                             ids=["one-over", "query", "encoded", "slashes"])
    def test_over_long_target(self, server, target):
        with nothing_stored(server):
            assert send_refused(server, request_bytes("PUT", target, (), b"x"), 414, "uri-too-long", closes=True)["limit"] == TARGET_MAX

    def test_endless_target(self, server):
        """No line end ever comes: the answer must not wait for one."""
        with nothing_stored(server):
            send_refused(server, b"GET /" + b"a" * 1_000_000, 414, "uri-too-long", closes=True)


@pytest.mark.edge
class TestHeaders:
    def test_many_and_large_fields_below_the_limits(self, server, client, key):
        fields = [(f"X-Field-{number}", "v") for number in range(FIELDS_MAX - 10)] + [("X-Large", "v" * 24_000)]
        assert client.put(key, b"x", fields).status == 201

    @pytest.mark.parametrize("fields", [
        [("X-Large", "v" * (HEAD_MAX + 1))], [("x" * (HEAD_MAX + 1), "v")], [(f"X-{number}", "v" * 1000) for number in range(40)],
        [(f"X-{number}", "v") for number in range(FIELDS_MAX + 1)], [("X-Same", "v")] * 2000, [("X-Large", "v" * 1_000_000)],
    ], ids=["one-large", "large-name", "sum", "one-too-many", "two-thousand", "a-megabyte"])
    def test_over_large_header_block(self, server, key, fields):
        with nothing_stored(server, key):
            problem = send_refused(server, request_bytes("PUT", path_of(key), fields, b"x"), 431, "headers-too-large", closes=True)
            assert problem["limit"] > 0

    def test_endless_field(self, server):
        with nothing_stored(server):
            send_refused(server, b"GET / HTTP/1.1\r\nHost: t\r\nX: " + b"a" * 1_000_000, 431, "headers-too-large", closes=True)
