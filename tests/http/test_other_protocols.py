"""What is not HTTP/1.1: older and newer versions, TLS, noise. Answered in its own words or closed, never a crash."""
import re
import ssl

import pytest

from support.checks import assert_problem, nothing_stored, send_refused
from support.http_raw import BadAnswer, Closed, RawConnection, request_bytes
from support.keys import path_of

pytestmark = pytest.mark.edge

NOISE_ROUNDS = 200
MUTATION_ROUNDS = 300


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"])
def test_other_http_versions(server, key, version):
    data = f"PUT {path_of(key)} {version}\r\nHost: t\r\nContent-Length: 1\r\n\r\nx".encode()
    with nothing_stored(server, key):
        send_refused(server, data, 505, "http-version-unsupported", closes=True)


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/2.0"])
def test_keep_alive_does_not_save_another_version(server, version):
    data = f"GET /health/live {version}\r\nHost: t\r\nConnection: keep-alive\r\n\r\n".encode()
    send_refused(server, data, 505, "http-version-unsupported", closes=True)


def test_http2_preface(server):
    settings_frame = b"\0\0\0\x04\0\0\0\0\0"
    with nothing_stored(server):
        send_refused(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings_frame, 505, "http-version-unsupported", closes=True)


def test_upgrade_to_http2_is_ignored(server, client):
    response = client.request("GET", "/health/live", {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"})
    assert response.status == 200


@pytest.mark.parametrize("line", ["GET /health/live", "GET", "GET /health/live ", "GET /health/live HTTP", "GET /health/live HTTP/", "GET /health/live HTTP/1",
                                  "GET /health/live HTTP/1.1x", "GET /health/live HTTP/11", "GET /health/live http/1.1", "GET /health/live HTTP/1.1 x",
                                  "GET /health/live  HTTP/1.1", "GET  /health/live HTTP/1.1", " GET /health/live HTTP/1.1", "GET\t/health/live\tHTTP/1.1",
                                  "GET /health/live FTP/1.1", "GET /health live HTTP/1.1", "G@T /health/live HTTP/1.1", "GET health/live HTTP/1.1",
                                  "GET /store/\x01 HTTP/1.1", "GET /store/\x7f HTTP/1.1", "/health/live HTTP/1.1", "HTTP/1.1 200 OK"])
def test_malformed_request_lines(server, line):
    """505 is as good where it is the version that can't be read."""
    with nothing_stored(server), RawConnection(server.address) as connection:
        response = connection.exchange(line.encode("latin-1") + b"\r\nHost: t\r\n\r\n")
        if response.status == 505:
            assert line.count(" ") < 2 or not line.endswith(" HTTP/1.1"), f"505 to {line!r}"
            assert_problem(response, 505, "http-version-unsupported")
        else:
            assert_problem(response, 400, "request-invalid")
        assert connection.closed_by_server()


def client_hello(**options):
    """The first bytes a real TLS client sends."""
    context = ssl.create_default_context()
    for name, value in options.items():
        setattr(context, name, value)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="armazem.test").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("options", [{}, {"maximum_version": ssl.TLSVersion.TLSv1_2}], ids=["TLS-1.3", "TLS-1.2"])
def test_tls_hello_on_the_plain_port(server, options):
    with nothing_stored(server):
        send_refused(server, client_hello(**options), 400, "tls-on-plain-port", closes=True)


def ends_well(connection):
    """Reads until the close. What came must be answers of ours or nothing; an answer cut off is neither."""
    answers = []
    while True:
        try:
            answers.append(connection.read())
        except Closed:
            return answers


def assert_ends_well(server, data, method_may_be_head=False):
    with RawConnection(server.address) as connection:
        connection.send(data)
        connection.half_close()
        try:
            answers = ends_well(connection)
        except BadAnswer as bad:
            # The bytes may by chance have become a HEAD request, whose answer has no body.
            assert method_may_be_head and b"HEAD" in data, f"{bad} to {data!r}"
            return
    for answer in answers:
        assert 200 <= answer.status < 600 and answer.status != 500, f"{answer!r} to {data!r}"


def test_random_bytes(server, seeded):
    with nothing_stored(server):
        for _ in range(NOISE_ROUNDS):
            assert_ends_well(server, seeded.randbytes(seeded.randrange(1, 3000)))


def test_random_printable_lines(server, seeded):
    letters = b"GETPUTHOSTHTTP/1.1 :;=\t\r\n\r\n0123456789abcdef"
    with nothing_stored(server):
        for _ in range(NOISE_ROUNDS):
            assert_ends_well(server, bytes(seeded.choices(letters, k=seeded.randrange(1, 500))))


def test_mutated_requests(server, client, key, seeded):
    """Valid requests with some bytes changed, removed or doubled: any well-formed answer is right, and the
    neighbours stay as they were."""
    assert client.put(key, b"stays").status == 201
    base = [
        request_bytes("GET", path_of(key) + "?raw", {"Accept": "text/plain;q=0.5, */*", "If-None-Match": '"a", W/"b"'}),
        request_bytes("PUT", "/store/mutated", {"Armazem-TTL": "60", "Content-Type": "text/plain", "Idempotency-Key": "k"}, b"body"),
        request_bytes("PUT", "/store", {"Content-Type": "application/json"}, b'{"key":"mutated","value":[1,{"a":null}],"ttl":60}'),
        request_bytes("PUT", "/store/mutated", {"Transfer-Encoding": "chunked", "Armazem-TTL": "60"}, b"4;e=1\r\nbody\r\n0\r\nT: 1\r\n\r\n"),
    ]
    for _ in range(MUTATION_ROUNDS):
        data = bytearray(seeded.choice(base))
        for _ in range(seeded.randrange(1, 6)):
            at = seeded.randrange(len(data))
            change = seeded.randrange(3)
            if change == 0:
                data[at] = seeded.randrange(256)
            elif change == 1:
                del data[at]
            else:
                data[at:at] = data[at:at + seeded.randrange(1, 20)]
        assert_ends_well(server, bytes(data), method_may_be_head=True)
    assert client.get_raw(key).body == b"stays"


def test_connections_that_end_at_once(server):
    with nothing_stored(server):
        for data in (b"", b"\0", b"\r", b"\n", b"\r\n", b"G", b"\x16", b"\x16\x03", b"PRI", b"\xff" * 10):
            assert_ends_well(server, data)


def test_answers_to_broken_requests_name_no_secrets(server):
    """The answer must not echo the request: a problem page is shown in browsers and logs."""
    with RawConnection(server.address) as connection:
        response = connection.exchange(b"GET / HTTP/1.1\r\nHost: t\r\nAuthorization secret-marker\r\n\r\n")
    assert_problem(response, 400, "request-invalid")
    assert not re.search(rb"secret-marker", response.body)
