"""SIGTERM: requests in flight are answered, the exit code is 0, what was acknowledged is there after a restart."""
import threading
import time

import pytest

from support.checks import assert_problem
from support.client import Client
from support.http_raw import BadAnswer, Closed, RawConnection, request_bytes
from support.keys import path_of
from support.wait import until

WRITERS = 16
IN_FLIGHT = 8


def begun_upload(server, key, body):
    """A request that is in flight for certain: the server has answered its head with 100 and waits for the body."""
    connection = RawConnection(server.address)
    connection.send(request_bytes("PUT", path_of(key), {"Expect": "100-continue", "Content-Length": str(len(body))}))
    assert connection.read_one().status == 100
    return connection


def takes_no_new_requests(address):
    try:
        with RawConnection(address, timeout=1) as connection:
            return connection.exchange(request_bytes("GET", "/health/ready")).status == 503
    except (OSError, Closed):
        return True


def test_requests_in_flight_are_answered(start_server, make_client, key):
    server = start_server()
    bodies = {f"{key}-{number}": b"%d" % number * 1000 for number in range(IN_FLIGHT)}
    uploads = {name: begun_upload(server, name, body) for name, body in bodies.items()}
    server.terminate()
    until(lambda: takes_no_new_requests(server.address), 10, "no new requests after SIGTERM")
    answers = {}
    for name, connection in uploads.items():
        connection.send(bodies[name])
        answers[name] = connection.read()  # Closed here means: dropped without an answer
        connection.close()
    assert server.wait_exit() == 0, server.log_tail()

    server.restart()
    client = make_client(server)
    for name, answer in answers.items():
        if answer.status == 201:
            assert client.get_raw(name).body == bodies[name]
        else:
            assert_problem(answer, 503, "shutting-down")
            assert client.get(name).status == 404


def test_acknowledged_writes_are_there_after_a_stop_under_load(start_server, make_client, key):
    server = start_server()
    acknowledged, strange = {}, []
    lock = threading.Lock()

    def write_until_closed(writer):
        client = Client(server.address)
        for number in range(1_000_000):
            name, body = f"{key}-{writer}-{number}", b"%d:%d" % (writer, number)
            try:
                answer = client.put(name, body)
            except BadAnswer as cut:
                strange.append(f"answer cut off: {cut}")
                return
            except (OSError, Closed):
                return
            if answer.status == 201:
                with lock:
                    acknowledged[name] = body
            else:
                try:
                    assert_problem(answer, 503, "shutting-down")
                except AssertionError as wrong:
                    strange.append(str(wrong))
                return

    threads = [threading.Thread(target=write_until_closed, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) > 200, 30, "writers are at work")
    server.terminate()
    code = server.wait_exit()
    for thread in threads:
        thread.join(30)
    assert code == 0, server.log_tail()
    assert not strange, strange

    server.restart()
    client = make_client(server)
    lost = [name for name, body in acknowledged.items() if client.get_raw(name).body != body]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged writes lost, first: {lost[:3]}"


def test_idle_connections_do_not_hold_the_stop_up(start_server):
    server = start_server()
    idle = [RawConnection(server.address) for _ in range(50)]
    for connection in idle[:25]:
        assert connection.exchange(request_bytes("GET", "/health/live")).status == 200
    server.stop()
    for connection in idle:
        assert connection.closed_by_server()
        connection.close()


def test_stop_while_answers_are_not_read(start_server, make_client, key):
    """A client that reads nothing must not keep the process from ending."""
    server = start_server("--grace", "1s")
    make_client(server).put(key, b"x" * 1_000_000)
    with RawConnection(server.address) as greedy:
        greedy.send(request_bytes("GET", path_of(key) + "?raw") * 50)
        assert greedy.readable(10)
        server.stop()


def test_a_draining_server_serves_and_sends_everybody_away(start_server, key):
    """--drain: a balancer sees 503 at /health/ready and has time to look away; until then no request may fail."""
    server = start_server("--drain", "3s")
    begun = time.monotonic()
    with RawConnection(server.address) as kept:
        assert not kept.exchange(request_bytes("GET", "/health/ready")).closes()
        server.terminate()

        def not_ready():
            with RawConnection(server.address) as connection:
                return connection.exchange(request_bytes("GET", "/health/ready")).status == 503
        until(not_ready, 2, "not ready after SIGTERM")
        stored = kept.exchange(request_bytes("PUT", path_of(key), {}, b"late"))
        assert stored.status == 201 and stored.closes(), repr(stored)
        assert kept.closed_by_server()
    with RawConnection(server.address) as fresh:
        read = fresh.exchange(request_bytes("GET", path_of(key) + "?raw"))
        assert read.status == 200 and read.body == b"late" and read.closes(), repr(read)
    assert server.wait_exit() == 0, server.log_tail()
    assert time.monotonic() - begun >= 3


def test_a_second_sigterm_ends_the_drain(start_server):
    server = start_server("--drain", "10m")
    server.terminate()
    until(lambda: '"stopping"' in server.log(), 10, "the server to have taken the first signal")
    server.terminate()
    assert server.wait_exit() in (-15, 143)


def test_second_sigterm_while_stopping_does_no_harm(start_server):
    server = start_server()
    server.terminate()
    server.terminate()
    assert server.wait_exit() in (0, -15, 143)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_all_kinds_of_values_are_there_after_a_restart(start_server, make_client, key, end):
    server = start_server()
    client = make_client(server)
    client.put(key + "-empty", b"")
    client.put(key + "-bytes", bytes(range(256)) * 1000, {"Content-Type": "image/x-test"})
    client.put_json(key + "-json", {"a": [1, None, "é"]})
    client.put(key + "-deleted", b"x")
    client.delete(key + "-deleted")
    names = [key + suffix for suffix in ("-empty", "-bytes", "-json", "-deleted")]

    def everything():
        kept = ("ETag", "Content-Type", "Last-Modified")
        return [(got.status, got.body if got.status == 200 else None, [got.header(name) for name in kept]) for got in map(client.get_raw, names)]

    before = everything()
    assert [status for status, _, _ in before] == [200, 200, 200, 404]
    client.close()
    getattr(server, end)()
    server.restart()
    client = make_client(server)
    assert everything() == before


def test_versions_go_on_rising_after_a_restart(start_server, make_client, key):
    server = start_server()
    before = make_client(server).put(key, b"x").header("Armazem-Version")
    for _ in range(3):
        server.kill()
        server.restart()
        after = make_client(server).put(key, b"x").header("Armazem-Version")
        assert after > before
        before = after
