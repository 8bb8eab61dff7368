"""No stored value ever appears in the log, not even at its most talkative level, not even when refused."""
import base64
import json
import uuid

from support.http_raw import RawConnection, request_bytes
from support.keys import path_of


def test_no_value_in_the_log(start_server, make_client, key):
    server = start_server("--log-level", "trace")
    client = make_client(server)
    marker = f"secret{uuid.uuid4().hex}"
    secret = marker.encode()

    # Stored in every form …
    assert client.put(key, secret).status == 201
    assert client.put(key, b"\xff\0" + secret).status == 200
    assert client.put_json(key, marker).status == 200
    assert client.put_json(key, {marker: [marker]}).status == 200
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(secret), secret)
    assert client.request("PUT", path_of(key), {"Transfer-Encoding": "chunked"}, chunks).status == 200
    assert client.put(key, secret, {"Idempotency-Key": "k"}).status == 200
    assert client.get(key).json() == {"value": marker}
    assert client.get_raw(key).body == secret
    # … refused in every way …
    assert client.put(key, secret, {"If-None-Match": "*"}).status == 412
    assert client.put(key, secret, {"Content-Encoding": "gzip"}).status == 415
    assert client.put(key, secret, {"Armazem-TTL": "0"}).status == 400
    assert client.put_json_text(b'{"key":"k","value":"' + secret).status == 400
    assert client.put_json_text(b'{"key":"k","val":"' + secret + b'"}').status == 400
    assert client.put_json_text(secret).status == 400
    assert client.put(key, secret * 50_000).status == 413
    assert client.request("POST", path_of(key), body=secret).status == 405
    assert client.delete(key, body=secret).status == 204
    with RawConnection(server.address) as connection:  # a body that breaks off, and one that breaks the framing
        connection.send(request_bytes("PUT", path_of(key), {"Content-Length": "1000"}) + secret)
        connection.half_close()
        connection.closed_by_server()
    with RawConnection(server.address) as connection:
        connection.send(request_bytes("PUT", path_of(key), {"Transfer-Encoding": "chunked"}, b"2\r\n" + secret + b"\r\n0\r\n\r\n"))
        assert connection.read().status == 400
    server.stop()
    # … and found nowhere, start and stop included.
    server.restart()
    server.stop()

    log = server.log()
    assert len(server.lines) >= 3, f"a log at level trace says more than this:\n{log}"
    for form in (marker, base64.b64encode(secret).decode().rstrip("=")[:40], secret.hex(), marker[:20]):
        assert form not in log


def test_every_line_is_one_json_object(start_server, make_client, key):
    server = start_server("--log-level", "trace")
    client = make_client(server)
    client.put(key + '"\n\\\x01é', b"x")
    client.get(key + '"\n\\\x01é')
    client.request("GET", '/nowhere?"\\')
    server.stop()
    for line in server.lines:
        assert isinstance(json.loads(line), dict), line
