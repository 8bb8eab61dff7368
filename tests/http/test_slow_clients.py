"""Time-outs: slow heads, slow bodies, idle connections, and that others are served meanwhile."""
import select
import time

import pytest

from support.checks import assert_alive, assert_problem
from support.http_raw import Closed, RawConnection, request_bytes
from support.keys import path_of
from support.wait import SCALE, Deadline

SLOW_CONNECTIONS = 200
HEAD = b"GET /store/slow HTTP/1.1\r\nHost: t\r\nX-Slow: " + b"a" * 10_000  # never ends
PACE_SECONDS = 0.05  # between two bytes of each slow client
SERVED_QUICKLY_SECONDS = 1.0 * SCALE  # a bound for a loaded test machine, far below any time-out


def assert_timed_out(connection):
    """A 408 and the close, or the close alone."""
    try:
        assert_problem(connection.read(), 408, "request-timeout")
    except Closed:
        return
    assert connection.closed_by_server()


def test_slowloris(start_server, make_client, key):
    server = start_server("--header-timeout", "1s")
    client = make_client(server)
    client.put(key, b"x")
    slow = [RawConnection(server.address) for _ in range(SLOW_CONNECTIONS)]
    try:
        opened, sent, longest, late = time.monotonic(), 0, 0.0, list(slow)
        deadline = Deadline(10)
        while late and not deadline.passed():
            for connection in late:
                connection.send(HEAD[sent:sent + 1])
            sent += 1
            begun = time.monotonic()
            assert client.get_raw(key).body == b"x"
            longest = max(longest, time.monotonic() - begun)
            # The pause is part of the attack; an answer or a close ends it early.
            ended = select.select([connection.socket for connection in late], [], [], PACE_SECONDS)[0]
            late = [connection for connection in late if connection.socket not in ended]
        took = time.monotonic() - opened
        assert not late, f"{len(late)} of {SLOW_CONNECTIONS} slow connections are still open after {took:.1f} s"
        assert took >= 0.9, "cut off before the time-out"
        assert longest < SERVED_QUICKLY_SECONDS, f"another client waited {longest:.2f} s"
        for connection in slow:
            assert_timed_out(connection)
    finally:
        for connection in slow:
            connection.close()
    assert_alive(server.address)


def test_header_time_counts_for_every_request_of_a_connection(start_server):
    server = start_server("--header-timeout", "1s")
    with RawConnection(server.address) as connection:
        for _ in range(3):
            assert connection.exchange(request_bytes("GET", "/health/live")).status == 200
        connection.send(b"GET /health/live HT")
        assert_timed_out(connection)


def test_idle_connection_is_closed_without_an_answer(start_server):
    server = start_server("--idle-timeout", "1s")
    with RawConnection(server.address) as connection:
        assert connection.exchange(request_bytes("GET", "/health/live")).status == 200
        idle_since = time.monotonic()
        assert connection.closed_by_server(10), "still open, or something was sent to an idle client"
        assert time.monotonic() - idle_since >= 0.9, "closed before its time"
    assert_alive(server.address)


def test_used_connection_is_not_idle(start_server):
    """Requests keep coming for longer than the idle time: the connection stays."""
    server = start_server("--idle-timeout", "1s")
    with RawConnection(server.address) as connection:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            assert connection.exchange(request_bytes("GET", "/health/live")).status == 200
            select.select([connection.socket], [], [], 0.1)  # a client's thinking time


def test_connection_that_says_nothing_is_closed(start_server):
    server = start_server("--idle-timeout", "1s", "--header-timeout", "1s")
    with RawConnection(server.address) as connection:
        try:
            assert_problem(connection.read(), 408, "request-timeout")
        except Closed:
            pass


@pytest.mark.parametrize("headers, begun", [
    ({"Content-Length": "100"}, b"only a part"),
    ({"Content-Length": "100"}, b""),
    ({"Transfer-Encoding": "chunked"}, b"5\r\nhel"),
    ({"Transfer-Encoding": "chunked"}, b"5\r\nhello\r\n0\r\n"),
], ids=["part", "nothing", "within-a-chunk", "before-the-last-line"])
def test_stalled_body(start_server, make_client, key, headers, begun):
    server = start_server("--body-timeout", "1s")
    with RawConnection(server.address) as connection:
        sent = time.monotonic()
        connection.send(request_bytes("PUT", path_of(key), headers) + begun)
        assert_problem(connection.read(), 408, "request-timeout")
        assert time.monotonic() - sent >= 0.9, "cut off before the time-out"
        assert connection.closed_by_server()
    assert make_client(server).get(key).status == 404


def test_reader_that_does_not_read_holds_nobody_up(start_server, make_client, key):
    """Asks for many large answers and reads none: others are served, the process does not grow without bound."""
    server = start_server()
    client = make_client(server)
    client.put(key, b"x" * 1_000_000)
    with RawConnection(server.address) as greedy:
        greedy.socket.settimeout(1)
        try:
            greedy.socket.sendall(request_bytes("GET", path_of(key) + "?raw") * 500)
        except TimeoutError:
            pass  # the server has stopped reading: right as well
        for _ in range(20):
            begun = time.monotonic()
            assert client.head(key).status == 200
            assert time.monotonic() - begun < SERVED_QUICKLY_SECONDS
        with open(f"/proc/{server.pid}/status") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        assert resident < 400 * 1024 * SCALE, f"{resident} KiB resident: 500 answers of 1 MB are being kept"
    assert_alive(server.address)
