"""Caps: connections and bytes in flight. Over the cap is refused in words, below it everything works again."""
from support.checks import assert_problem, nothing_stored
from support.http_raw import Closed, RawConnection, request_bytes
from support.keys import path_of
from support.metrics import fetch_metrics
from support.wait import until

CONNECTIONS_MAX = 20
INFLIGHT_BYTES = 2 * 1024 * 1024
BODY_BYTES = 512 * 1024
UPLOADS = 10
LIVE = request_bytes("GET", "/health/live")


def served(address):
    """Whether a new connection gets its answer; a refusal must be a 503 of ours or a plain close."""
    with RawConnection(address) as connection:
        connection.send(LIVE)
        try:
            response = connection.read()
        except Closed:
            return False
        if response.status == 200:
            return True
        assert_problem(response, 503, "too-many-connections")
        assert connection.closed_by_server()
        return False


def test_connections_over_the_cap_are_refused_and_room_is_given_back(start_server):
    server = start_server("--max-connections", str(CONNECTIONS_MAX))
    held = []
    try:
        for _ in range(CONNECTIONS_MAX):
            held.append(RawConnection(server.address))
            assert held[-1].exchange(LIVE).status == 200
        for _ in range(5):
            assert not served(server.address), "a connection over the cap was served"
        for connection in held:
            assert connection.exchange(LIVE).status == 200, "those inside the cap are served on"
        for connection in held[:5]:
            connection.close()
        until(lambda: served(server.address), 10, "closed connections make room")
        assert held[-1].exchange(LIVE).status == 200
    finally:
        for connection in held:
            connection.close()
    until(lambda: served(server.address), 10, "all closed: new ones are served")
    until(lambda: fetch_metrics(server.address).total("armazem_http_rejected_total") >= 5, 10, "refusals are counted")


def test_a_burst_over_the_cap_leaves_no_damage(start_server):
    """Many times the cap at once, several rounds: afterwards the full number of connections is available."""
    server = start_server("--max-connections", str(CONNECTIONS_MAX))
    for _ in range(3):
        burst = [RawConnection(server.address) for _ in range(CONNECTIONS_MAX * 5)]
        for connection in burst:
            connection.send(LIVE)
        for connection in burst:
            connection.close()

    def full_number():
        held = []
        try:
            for _ in range(CONNECTIONS_MAX):
                held.append(RawConnection(server.address))
                held[-1].send(LIVE)
                if held[-1].read().status != 200:
                    return False
            return True
        except Closed:
            return False
        finally:
            for connection in held:
                connection.close()

    until(full_number, 15, f"{CONNECTIONS_MAX} connections at once are served again")


def upload(server, key):
    """An upload that has sent all of its body but the last byte."""
    connection = RawConnection(server.address)
    try:
        connection.send(request_bytes("PUT", path_of(key), {"Content-Length": str(BODY_BYTES)}) + b"x" * (BODY_BYTES - 1))
    except TimeoutError:
        raise AssertionError("the server neither takes nor refuses the body")
    return connection


def test_bytes_in_flight(start_server, make_client, key):
    """More bodies than fit are under way at once. Whether a refusal comes at once or when its body is
    through is the server's choice; how many are taken is not."""
    server = start_server("--inflight-bytes", str(INFLIGHT_BYTES))
    client = make_client(server)
    uploads = {f"{key}-{number}": upload(server, f"{key}-{number}") for number in range(UPLOADS)}
    try:
        assert client.get(key).status == 404, "requests without a body are served at the cap"
        inflight = fetch_metrics(server.address).value("armazem_http_inflight_body_bytes")
        assert 0 < inflight <= INFLIGHT_BYTES
        for connection in uploads.values():
            connection.send(b"x")
        answers = {name: connection.read() for name, connection in uploads.items()}
    finally:
        for connection in uploads.values():
            connection.close()
    taken = {name for name, answer in answers.items() if answer.status == 201}
    for name in uploads.keys() - taken:
        assert_problem(answers[name], 503, "overloaded")
    assert 1 <= len(taken) <= INFLIGHT_BYTES // BODY_BYTES, f"{len(taken)} of {UPLOADS} bodies of {BODY_BYTES} bytes taken"
    for name in uploads:
        assert client.get(name).status == (200 if name in taken else 404)
    until(lambda: fetch_metrics(server.address).value("armazem_http_inflight_body_bytes") == 0, 10, "bytes are given back")
    assert client.put(key, b"x" * BODY_BYTES).status == 201


def test_bytes_of_clients_that_leave_are_given_back(start_server, make_client, key):
    server = start_server("--inflight-bytes", str(INFLIGHT_BYTES))
    with nothing_stored(server, key):
        for _ in range(3):
            leaving = [upload(server, key) for _ in range(INFLIGHT_BYTES // BODY_BYTES)]
            for connection in leaving:
                connection.close()
            until(lambda: fetch_metrics(server.address).value("armazem_http_inflight_body_bytes") == 0, 10, "bytes are given back")
    assert make_client(server).put(key, b"x" * BODY_BYTES).status == 201
