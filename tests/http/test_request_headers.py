"""X-Request-Id, Prefer and Expect."""
import pytest

from support.checks import assert_problem, assert_usable, nothing_stored, version_of
from support.http_raw import RawConnection, request_bytes
from support.keys import path_of

GOOD_IDS = ["a", "0", "A-Za-z0-9", "._:/+=@-", "0193a1b2-c3d4-7001-8abc-0123456789ab", "x" * 128]
BAD_IDS = ["", "x" * 129, "a b", "a,b", "a\tb", 'a"b', "a;b", "<script>", "é", "a%41", "a\\b"]


class TestRequestId:
    @pytest.mark.parametrize("text", GOOD_IDS)
    def test_echoed(self, client, key, text):
        headers = {"X-Request-Id": text}
        assert client.put(key, b"x", headers).header("X-Request-Id") == text
        assert client.get(key, headers).header("X-Request-Id") == text
        assert client.head(key, headers).header("X-Request-Id") == text
        assert client.delete(key, headers).header("X-Request-Id") == text
        assert assert_problem(client.get(key, headers), 404, "not-found")["request_id"] == text

    @pytest.mark.parametrize("text", BAD_IDS)
    def test_ignored(self, client, key, text):
        assert client.put(key, b"x", {"X-Request-Id": text}).header("X-Request-Id") != text
        problem = assert_problem(client.get(key + "-absent", {"X-Request-Id": text}), 404, "not-found")
        assert problem["request_id"] != text

    def test_generated_ones_differ(self, client, key):
        made = {assert_problem(client.get(key), 404, "not-found")["request_id"] for _ in range(20)}
        assert len(made) == 20

    def test_of_a_request_does_not_stick_to_the_connection(self, client, key):
        client.get(key, {"X-Request-Id": "first"})
        assert client.get(key).header("X-Request-Id") != "first"


class TestPrefer:
    @pytest.mark.parametrize("value", ["wait=0", "wait=5", "wait=30", "respond-async", "respond-async, wait=10", "return=minimal",
                                       "handling=lenient", 'foo; bar="baz, respond"', "unknown"])
    def test_without_a_queue_the_answer_is_the_synchronous_one(self, own_server, client, key, value):
        headers = {"Prefer": value}
        assert client.put(key, b"x", headers).status == 201
        assert client.put_json(key, "y", headers).status == 200
        assert client.get_raw(key).body == b"y"
        assert client.delete(key, headers).status == 204

    @pytest.mark.parametrize("value", ["respond-async", "wait=5, respond-async", "respond-async; x=y"])
    @pytest.mark.parametrize("condition", [{"If-None-Match": "*"}, {"If-Match": "*"}])
    def test_respond_async_with_a_condition(self, server, client, key, value, condition):
        headers = {"Prefer": value, **condition}
        with nothing_stored(server, key):
            assert_problem(client.put(key, b"x", headers), 400, "respond-async-conditional")
            assert_problem(client.put_json(key, "x", headers), 400, "respond-async-conditional")
            assert_problem(client.delete(key, headers), 400, "respond-async-conditional")

    def test_wait_with_a_condition_is_fine(self, client, key):
        assert client.put(key, b"x", {"Prefer": "wait=5", "If-None-Match": "*"}).status == 201


def expecting(key, size, headers=(), expectation="100-continue", target=None, method="PUT"):
    """The head alone of a request that waits for a 100."""
    fields = [("Expect", expectation), ("Content-Length", str(size)), *dict(headers).items()]
    return request_bytes(method, target or path_of(key), fields)


class TestExpect:
    @pytest.mark.parametrize("expectation", ["100-continue", "100-Continue"])
    def test_100_comes_before_the_body(self, server, client, key, expectation):
        with RawConnection(server.address) as connection:
            for body in (b"first", b"second"):
                connection.send(expecting(key, len(body), expectation=expectation))
                interim = connection.read_one()
                assert (interim.status, interim.reason) == (100, "Continue")
                connection.send(body)
                assert connection.read_one().status in (200, 201)
                assert client.get_raw(key).body == body

    def test_with_a_chunked_body(self, server, client, key):
        with RawConnection(server.address) as connection:
            connection.send(request_bytes("PUT", path_of(key), {"Expect": "100-continue", "Transfer-Encoding": "chunked"}))
            assert connection.read_one().status == 100
            connection.send(b"3\r\nabc\r\n0\r\n\r\n")
            assert connection.read_one().status == 201
        assert client.get_raw(key).body == b"abc"

    def test_a_client_that_does_not_wait(self, server, client, key):
        with RawConnection(server.address) as connection:
            connection.send(expecting(key, 4) + b"body")
            assert connection.read().status == 201  # with or without a 100 before it
            assert_usable(connection)
        assert client.get_raw(key).body == b"body"

    def test_without_a_body(self, server, client, key):
        client.put(key, b"x")
        with RawConnection(server.address) as connection:
            connection.send(request_bytes("GET", path_of(key), {"Expect": "100-continue"}))
            assert connection.read().status == 200
            assert_usable(connection)

    @pytest.mark.edge
    @pytest.mark.parametrize("size, headers, target, status, slug", [
        (100 * 1024 * 1024, {}, None, 413, "value-too-large"),
        (4, {"Content-Encoding": "gzip"}, None, 415, "unsupported-media-type"),
        (4, {"Content-Type": "text/plain"}, "/store", 415, "unsupported-media-type"),
        (4, {}, "/store/%00", 400, "key-invalid"),
        (4, {}, "/store/%zz", 400, "percent-encoding-invalid"),
        (4, {"Armazem-TTL": "0"}, None, 400, "ttl-invalid"),
        (4, {"If-Match": "abc"}, None, 400, "etag-invalid"),
        (4, {"Idempotency-Key": "a b"}, None, 400, "idempotency-key-invalid"),
        (4, {}, "/nowhere", 404, "route-not-found"),
    ])
    def test_refused_early_without_a_100(self, server, key, size, headers, target, status, slug):
        with nothing_stored(server, key), RawConnection(server.address) as connection:
            connection.send(expecting(key, size, headers, target=target))
            assert_problem(connection.read_one(), status, slug)

    @pytest.mark.edge
    def test_wrong_method_is_refused_early_too(self, server, key):
        with nothing_stored(server, key), RawConnection(server.address) as connection:
            connection.send(expecting(key, 4, method="POST"))
            assert_problem(connection.read_one(), 405, "method-not-allowed")

    @pytest.mark.edge
    @pytest.mark.parametrize("expectation", ["200-ok", "100-continue-please", "x", "100-continue, x"])
    def test_other_expectations(self, server, key, expectation):
        with nothing_stored(server, key), RawConnection(server.address) as connection:
            connection.send(expecting(key, 4, expectation=expectation) + b"body")
            assert_problem(connection.read_one(), 417, "expectation-failed")


def test_answers_carry_nothing_of_the_request_but_the_id(client, key):
    """No header of ours may be built from a request header unchecked (response splitting)."""
    version = version_of(client.put(key + "\r\nX-Evil: 1", b"x"))
    got = client.get(key + "\r\nX-Evil: 1")
    assert got.header("X-Evil") is None and got.header("ETag") == f'"{version}"'
