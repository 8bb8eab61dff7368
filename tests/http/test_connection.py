"""Pipelining, kept-alive connections, and how they end."""
import json

import pytest

from support.checks import assert_problem, version_of
from support.client import request_of
from support.http_raw import Closed, RawConnection
from support.keys import path_of


def mixed_requests(key, count):
    """Requests with answers that tell where they belong: (bytes, method, check)."""
    def status(wanted):
        return lambda response: response.status == wanted

    def value(number):
        return lambda response: response.json() == {"value": f"v{number}"}

    def problem(number):
        return lambda response: response.json()["request_id"] == f"r{number}"

    requests = []
    for number in range(count):
        mine = path_of(f"{key}-{number // 10}")
        kinds = [
            ("PUT", request_of("PUT", mine, (), b"v%d" % number), status(201)),
            ("GET", request_of("GET", mine), value(number - 1)),
            ("HEAD", request_of("HEAD", mine), status(200)),
            ("PUT", request_of("PUT", "/store", {"Content-Type": "application/json"},
                               json.dumps({"key": f"{key}-{number // 10}", "value": f"v{number}"}).encode()), status(200)),
            ("GET", request_of("GET", mine), value(number - 1)),
            ("POST", request_of("POST", mine, {"X-Request-Id": f"r{number}"}, b"dropped"), problem(number)),
            ("DELETE", request_of("DELETE", mine), status(204)),
            ("GET", request_of("GET", mine, {"X-Request-Id": f"r{number}"}), problem(number)),
            ("OPTIONS", request_of("OPTIONS", mine), status(204)),
            ("GET", request_of("GET", f"/nowhere/{number}", {"X-Request-Id": f"r{number}"}), problem(number)),
        ]
        requests.append(kinds[number % 10])
    return requests


class TestPipelining:
    def test_fifty_mixed_requests_in_one_write(self, server, connect, key):
        requests = mixed_requests(key, 50)
        connection = connect(server)
        connection.send(b"".join(data for _, data, _ in requests))
        for number, (method, _, check) in enumerate(requests):
            response = connection.read(method)
            assert check(response), f"answer {number} to {method}: {response!r}"
        assert connection.buffer == b""

    def test_same_requests_one_byte_at_a_time(self, server, connect, key):
        requests = mixed_requests(key, 10)
        connection = connect(server)
        for byte in b"".join(data for _, data, _ in requests):
            connection.send(bytes([byte]))
        for number, (method, _, check) in enumerate(requests):
            assert check(connection.read(method)), f"answer {number}"

    def test_many_small_requests(self, server, connect, client, key):
        client.put(key, b"x")
        connection = connect(server)
        connection.send(request_of("GET", path_of(key)) * 1000)
        for _ in range(1000):
            assert connection.read().json() == {"value": "x"}

    def test_large_answers_stay_in_order(self, server, connect, client, key):
        """More answer bytes than any buffer: the server must wait for a reader without losing its place."""
        for number in range(4):
            client.put(f"{key}-{number}", bytes([65 + number]) * 500_000)
        connection = connect(server)
        connection.send(b"".join(request_of("GET", path_of(f"{key}-{number % 4}") + "?raw") for number in range(40)))
        for number in range(40):
            assert connection.read().body == bytes([65 + number % 4]) * 500_000

    def test_writes_to_one_key_keep_their_order(self, server, connect, client, key):
        connection = connect(server)
        connection.send(b"".join(request_of("PUT", path_of(key), (), b"%d" % number) for number in range(100)))
        versions = [version_of(connection.read()) for _ in range(100)]
        assert versions == sorted(versions) and len(set(versions)) == 100
        assert client.get_raw(key).body == b"99"

    @pytest.mark.edge
    def test_a_broken_request_ends_it_after_the_answers_before(self, server, connect, client, key):
        connection = connect(server)
        connection.send(request_of("PUT", path_of(key), (), b"good") + b"GET / HTTP/1.1\r\nbroken\r\n\r\n"
                        + request_of("PUT", path_of(key + "-after"), (), b"bad"))
        assert connection.read().status == 201
        assert_problem(connection.read(), 400, "request-invalid")
        assert connection.closed_by_server()
        assert client.get_raw(key).body == b"good"
        assert client.get(key + "-after").status == 404

    def test_nothing_after_connection_close_is_done(self, server, connect, client, key):
        connection = connect(server)
        connection.send(request_of("PUT", path_of(key), {"Connection": "close"}, b"x")
                        + request_of("PUT", path_of(key + "-after"), (), b"bad"))
        assert connection.read().status == 201
        assert connection.closed_by_server()
        assert client.get(key + "-after").status == 404


class TestKeepAlive:
    def test_five_hundred_requests_on_one_connection(self, server, connect, key):
        connection = connect(server)
        for number in range(250):
            put = connection.exchange(request_of("PUT", path_of(key), (), b"%d" % number))
            assert put.status == (200 if number else 201) and not put.closes()
            assert connection.exchange(request_of("GET", path_of(key) + "?raw")).body == b"%d" % number

    @pytest.mark.parametrize("data", [
        request_of("GET", "/store/absent-key"), request_of("GET", "/nowhere"), request_of("POST", "/store", (), b"x" * 1000),
        request_of("PUT", "/store", (), b"not json"), request_of("PUT", "/store", {"Content-Type": "application/json"}, b"not json"),
        pytest.param(request_of("PUT", "/store/%00", (), b"x" * 1000), marks=pytest.mark.edge),
        request_of("PUT", "/store/k", {"Armazem-TTL": "x"}, b"x" * 1000),
        request_of("GET", "/health/live", (), b"a body nobody asked for"), request_of("PUT", "/nowhere", (), b"x" * 10_000),
    ], ids=range(9))
    def test_refusals_keep_the_connection_in_step(self, server, connect, data):
        """The refused request's body must not be taken for the next request."""
        connection = connect(server)
        for _ in range(5):
            refused = connection.exchange(data)
            assert not refused.closes()
            following = connection.exchange(request_of("GET", "/health/live", {"X-Request-Id": "following"}))
            assert following.status == 200 and following.header("X-Request-Id") == "following"

    @pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close"])
    def test_connection_close(self, server, connect, value):
        connection = connect(server)
        response = connection.exchange(request_of("GET", "/health/live", {"Connection": value}))
        assert response.status == 200 and response.closes()
        assert connection.closed_by_server()

    @pytest.mark.edge
    def test_half_closed_client_still_gets_its_answer(self, server, connect, key):
        connection = connect(server)
        connection.send(request_of("PUT", path_of(key), (), b"x"))
        connection.half_close()
        assert connection.read().status == 201
        assert connection.closed_by_server()

    def test_empty_line_before_a_request_is_tolerated_or_refused(self, server, connect):
        """RFC 9112 section 2.2 says SHOULD ignore one; a strict server may refuse, never hang."""
        connection = connect(server)
        response = connection.exchange(b"\r\n" + request_of("GET", "/health/live"))
        if response.status != 200:
            assert_problem(response, 400, "request-invalid")

    def test_client_gone_within_a_request(self, server, client, key):
        for data in (b"", b"P", b"PUT /store/", request_of("PUT", path_of(key), {"Content-Length": "10"}) + b"half"):
            with RawConnection(server.address) as connection:
                connection.send(data)
                connection.half_close()
                try:
                    assert_problem(connection.read(), 400, "request-invalid")
                except Closed:
                    pass
        assert client.get(key).status == 404
