"""Chunked request bodies (RFC 9112 section 7.1), however they are cut, and every way to write them wrongly."""
import pytest

from support.checks import assert_alive, assert_problem, assert_usable, nothing_stored, send_refused
from support.http_raw import RawConnection, request_bytes
from support.keys import path_of

pytestmark = pytest.mark.edge

PIECE = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
ENDLESS_PIECES = 64 * 1024 * 1024 // 0x4000


def chunked(key, body, headers=()):
    """A PUT whose chunked body is written out by the test."""
    return request_bytes("PUT", path_of(key), [("Transfer-Encoding", "chunked"), *dict(headers).items()], body)


GOOD = {
    "one-chunk": (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "no-chunk": (b"0\r\n\r\n", b""),
    "many": (b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", b"abcdef"),
    "byte-by-byte": (b"1\r\nx\r\n" * 500 + b"0\r\n\r\n", b"x" * 500),
    "upper-case-hex": (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "lower-case-hex": (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "leading-zeros": (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    "line-ends-in-data": (b"6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", b"\r\n0\r\n\r"),
    "extension": (b"5;name=value\r\nhello\r\n0;last\r\n\r\n", b"hello"),
    "quoted-extension": (b'5;name="a;b"\r\nhello\r\n0\r\n\r\n', b"hello"),
    "trailers": (b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n", b"hello"),
    "other-trailers": (b"5\r\nhello\r\n0\r\nContent-Type: image/png\r\nArmazem-TTL: 1\r\nHost: evil.test\r\n\r\n", b"hello"),
    "binary": (b"100\r\n" + bytes(range(256)) + b"\r\n0\r\n\r\n", bytes(range(256))),
}

BAD = {
    "framing-as-trailer": b"1\r\nx\r\n0\r\nContent-Length: 99\r\n\r\n",
    "no-hex": b"g\r\nx\r\n0\r\n\r\n",
    "empty-size": b"\r\nx\r\n0\r\n\r\n",
    "minus": b"-1\r\nx\r\n0\r\n\r\n",
    "plus": b"+1\r\nx\r\n0\r\n\r\n",
    "prefix": b"0x1\r\nx\r\n0\r\n\r\n",
    "leading-blank": b" 1\r\nx\r\n0\r\n\r\n",
    "trailing-blank": b"1 \r\nx\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    "decimal-point": b"1.0\r\nx\r\n0\r\n\r\n",
    "more-than-64-bits": b"10000000000000001\r\nx\r\n0\r\n\r\n",
    "long-size": b"1" * 40 + b"\r\nx\r\n0\r\n\r\n",
    "bare-lf-after-size": b"1\nx\r\n0\r\n\r\n",
    "bare-cr-after-size": b"1\rx\r\n0\r\n\r\n",
    "bare-lf-after-data": b"1\r\nx\n0\r\n\r\n",
    "no-line-end-after-data": b"1\r\nx0\r\n\r\n",
    "data-longer-than-size": b"1\r\nxy\r\n0\r\n\r\n",
    "data-shorter-than-size": b"3\r\nx\r\n0\r\n\r\n",
    "bare-lf-at-the-end": b"1\r\nx\r\n0\r\n\n",
    "nul-in-size": b"1\0\r\nx\r\n0\r\n\r\n",
    "nul-in-extension": b"1;a=\0\r\nx\r\n0\r\n\r\n",
    "bare-lf-in-extension": b"1;a\nb\r\nx\r\n0\r\n\r\n",
    "long-extension": b"1;" + b"e" * 300 + b"\r\nx\r\n0\r\n\r\n",
    "endless-extension": b"1;" + b"e" * 20_000 + b"\r\nx\r\n0\r\n\r\n",
    "many-small-extensions": b"1;abcdefgh\r\nx\r\n" * 50 + b"0\r\n\r\n",
}


@pytest.mark.parametrize("body, value", GOOD.values(), ids=GOOD.keys())
def test_good_bodies(server, client, key, body, value):
    with RawConnection(server.address) as connection:
        response = connection.exchange(chunked(key, body))
        assert response.status == 201, repr(response)
        assert_usable(connection)
    got = client.get_raw(key)
    assert got.body == value and got.header("Content-Type") == "application/octet-stream"


@pytest.mark.parametrize("coding", ["Chunked", "CHUNKED"])
def test_coding_name_is_case_insensitive(server, client, key, coding):
    with RawConnection(server.address) as connection:
        data = request_bytes("PUT", path_of(key), {"Transfer-Encoding": coding}, b"1\r\nx\r\n0\r\n\r\n")
        assert connection.exchange(data).status == 201
    assert client.get_raw(key).body == b"x"


def test_json_form(server, client, key):
    text = f'{{"key":"{key}","value":"chunked"}}'.encode()
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in text) + b"0\r\n\r\n"
    with RawConnection(server.address) as connection:
        data = request_bytes("PUT", "/store", {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, body)
        assert connection.exchange(data).status == 201
    assert client.get_raw(key).body == b"chunked"


def test_cut_at_every_byte(server, client, key):
    """All first halves are sent on connections of their own, then a request on another one is answered
    (so the server has had its turn to read them), then all second halves."""
    whole = [chunked(f"{key}-{at}", b"3;e=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n") for at in range(1000)]
    cuts = range(1, len(whole[100]))
    connections = []
    try:
        for at in cuts:
            connections.append(RawConnection(server.address))
            connections[-1].send(whole[at][:at])
        assert client.get(key).status == 404
        assert_alive(server.address)
        for at, connection in zip(cuts, connections):
            connection.send(whole[at][at:])
        for at, connection in zip(cuts, connections):
            response = connection.read()
            assert response.status == 201, f"cut at {at}: {response!r}"
    finally:
        for connection in connections:
            connection.close()
    for at in cuts:
        assert client.get_raw(f"{key}-{at}").body == b"abcde", f"cut at {at}"


def test_one_byte_at_a_time(server, client, key):
    with RawConnection(server.address) as connection:
        for byte in chunked(key, b"3\r\nabc\r\n0\r\n\r\n"):
            connection.send(bytes([byte]))
        assert connection.read().status == 201
    assert client.get_raw(key).body == b"abc"


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_bad_bodies(server, key, body):
    with nothing_stored(server, key):
        send_refused(server, chunked(key, body), 400, "request-invalid", closes=True)


@pytest.mark.parametrize("size", [b"8000000", b"fffffff", b"7fffffffffffffff", b"ffffffffffffffff"])
def test_enormous_chunk(server, key, size):
    """Refused at the latest when the limit is passed, however large the chunk says it is."""
    with nothing_stored(server, key), RawConnection(server.address) as connection:
        connection.send(chunked(key, size + b"\r\n"))
        response = feed_until_answered(connection, b"x" * 0x4000)
        assert response.status == 413 or (response.status == 400 and len(size) == 16), repr(response)
        assert_problem(response, response.status, "value-too-large", "request-invalid")


def feed_until_answered(connection, piece):
    sending = True
    for _ in range(ENDLESS_PIECES):
        sending = sending and not connection.readable(0) and connection.send(piece)
    return connection.read()


def test_too_large_in_small_chunks(server, key):
    with nothing_stored(server, key), RawConnection(server.address) as connection:
        connection.send(chunked(key, PIECE * 65 + b"0\r\n\r\n"))
        problem = assert_problem(connection.read(), 413, "value-too-large")
        assert problem["limit"] == 1024 * 1024


def test_endless_body_is_refused(server, key):
    """The last chunk never comes: the server must give up reading, not go on for as long as it is fed."""
    with nothing_stored(server, key), RawConnection(server.address) as connection:
        connection.send(chunked(key, b""))
        assert_problem(feed_until_answered(connection, PIECE), 413, "value-too-large")
        assert connection.closed_by_server()


def test_body_cut_off_by_the_client(server, key):
    """A connection that ends within the body: nothing stored, no crash."""
    with nothing_stored(server, key):
        for cut in (b"", b"5", b"5\r\n", b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n"):
            with RawConnection(server.address) as connection:
                connection.send(chunked(key, cut))
                connection.half_close()
                assert_refused_or_closed(connection)


def assert_refused_or_closed(connection):
    while connection._fill():
        pass
    if connection.buffer:
        assert_problem(connection.read(), 400, "request-invalid")
