"""Bodies and media types that are refused: each with its own problem, and nothing stored."""
import pytest

from support.checks import assert_problem, nothing_stored
from support.http_raw import request_bytes
from support.keys import path_of

JSON_TYPE = {"Content-Type": "application/json"}

# KEY is replaced by the test's key.
NOT_JSON = {
    "empty": b"", "blank": b" ", "word": b"hello", "form": b"key=KEY&value=1", "cut": b'{"key":"KEY","value":',
    "cut-in-string": b'{"key":"KEY","value":"x', "trailing-text": b'{"key":"KEY","value":1} x', "two-documents": b'{"key":"KEY","value":1}{}',
    "trailing-comma": b'{"key":"KEY","value":1,}', "comma-in-array": b'{"key":"KEY","value":[1,]}', "single-quotes": b"{'key':'KEY','value':1}",
    "bare-names": b'{key:"KEY",value:1}', "comment": b'{"key":"KEY",/* c */"value":1}', "line-comment": b'{"key":"KEY","value":1} // c',
    "missing-colon": b'{"key" "KEY","value":1}', "missing-comma": b'{"key":"KEY" "value":1}', "colon-twice": b'{"key"::"KEY","value":1}',
    "nan": b'{"key":"KEY","value":NaN}', "infinity": b'{"key":"KEY","value":Infinity}', "minus-infinity": b'{"key":"KEY","value":-Infinity}',
    "capital-true": b'{"key":"KEY","value":True}', "leading-zero": b'{"key":"KEY","value":01}', "plus": b'{"key":"KEY","value":+1}',
    "no-digits-after-point": b'{"key":"KEY","value":1.}', "no-digits-before-point": b'{"key":"KEY","value":.5}', "lone-minus": b'{"key":"KEY","value":-}',
    "empty-exponent": b'{"key":"KEY","value":1e}', "hex": b'{"key":"KEY","value":0x10}', "bad-escape": rb'{"key":"KEY","value":"\x41"}',
    "cut-escape": rb'{"key":"KEY","value":"\u00"}', "line-end-in-string": b'{"key":"KEY","value":"a\nb"}', "nul-in-string": b'{"key":"KEY","value":"a\0b"}',
    "nul-after": b'{"key":"KEY","value":1}\0', "utf-16": '{"key":"KEY","value":1}'.encode("utf-16-le"), "vertical-tab": b'{"key":"KEY",\v"value":1}',
    "lone-surrogate": rb'{"key":"KEY","value":"\ud800"}', "reversed-surrogates": rb'{"key":"KEY","value":"\ude00\ud83d"}',
    "lone-surrogate-inside": rb'{"key":"KEY","value":{"a":"\udfff"}}',
}
BROKEN_UTF8 = [b"\xff", b"\x80", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]

WRONG_SHAPE = {
    "null": (b"null", None), "true": (b"true", None), "number": (b"7", None), "string": (b'"text"', None),
    "array": (b'[{"key":"KEY","value":1}]', None), "empty-array": (b"[]", None),
    "empty-object": (b"{}", ("key", "value")), "no-key": (b'{"value":1}', ("key",)), "no-value": (b'{"key":"KEY"}', ("value",)),
    "key-case": (b'{"Key":"KEY","value":1}', ("Key", "key")),
    "unknown": (b'{"key":"KEY","value":1,"tll":5}', ("tll",)), "unknown-first": (b'{"x":1,"key":"KEY","value":1}', ("x",)),
    "empty-name": (b'{"key":"KEY","value":1,"":2}', ("",)), "proto": (b'{"key":"KEY","value":1,"__proto__":{}}', ("__proto__",)),
    "doubled-key": (b'{"key":"KEY","key":"KEY","value":1}', ("key",)), "doubled-key-differs": (b'{"key":"x","value":1,"key":"KEY"}', ("key",)),
    "doubled-value": (b'{"key":"KEY","value":1,"value":2}', ("value",)), "doubled-ttl": (b'{"key":"KEY","value":1,"ttl":5,"ttl":5}', ("ttl",)),
    "doubled-by-escape": (rb'{"key":"KEY","value":1,"v\u0061lue":2}', ("value",)),
    "key-number": (b'{"key":1,"value":1}', ("key",)), "key-null": (b'{"key":null,"value":1}', ("key",)), "key-true": (b'{"key":true,"value":1}', ("key",)),
    "key-array": (b'{"key":["KEY"],"value":1}', ("key",)), "key-object": (b'{"key":{},"value":1}', ("key",)),
    "key-empty-array": (b'{"key":[],"value":1}', ("key",)), "key-inside-object": (b'{"key":{"key":"KEY"},"value":1}', ("key",)),
    "key-inside-arrays": (b'{"key":[["KEY"]],"value":1}', ("key",)), "only-nested-key": (b'{"value":{"key":"KEY"}}', ("key",)),
    "only-nested-value": (b'{"key":"KEY","ttl":5,"x":{"value":1}}', ("x", "value")),
}


def nested(key, levels, opening=b"[", closing=b"]", core=b"1"):
    return b'{"key":"%s","value":%s%s%s}' % (key.encode(), opening * levels, core, closing * levels)


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_no_json(server, client, key, body):
    with nothing_stored(server, key):
        problem = assert_problem(client.put_json_text(body.replace(b"KEY", key.encode())), 400, "json-invalid")
        assert len(problem["detail"]) >= 8, "the detail says what is wrong"


@pytest.mark.parametrize("bytes_", BROKEN_UTF8, ids=range(len(BROKEN_UTF8)))
@pytest.mark.parametrize("place", [b'{"key":"KEY","value":"a%s"}', b'{"key":"KEY%s","value":1}', b'{"key":"KEY","value":{"%s":1}}'])
def test_broken_utf8(server, client, key, place, bytes_):
    with nothing_stored(server, key):
        body = (place % bytes_).replace(b"KEY", key.encode())
        problem = assert_problem(client.put_json_text(body), 400, "json-invalid")
        assert "utf" in problem["detail"].lower()


@pytest.mark.parametrize("levels", [33, 100, 10_000, 400_000])
@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_deep_nesting_is_refused(server, client, key, levels, opening, closing):
    """A recursive parser would end its stack here; 33 levels within the value are over any reading of 32."""
    levels = min(levels, 900_000 // (len(opening) + len(closing)))
    with nothing_stored(server, key):
        problem = assert_problem(client.put_json_text(nested(key, levels, opening, closing)), 400, "json-invalid")
        assert any(word in problem["detail"].lower() for word in ("deep", "depth", "level", "nest")), problem


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_opening_is_refused(server, client, key, opening):
    with nothing_stored(server, key):
        assert_problem(client.put_json_text(nested(key, 900_000 // len(opening), opening, b"", b"")), 400, "json-invalid")


def test_nesting_below_the_limit_is_fine(client, key):
    text = b"[" * 31 + b"1" + b"]" * 31
    assert client.put_json_text(nested(key, 31)).status == 201
    assert client.get_raw(key).body == text
    assert client.get(key).body == b'{"value":' + text + b"}\n"


@pytest.mark.parametrize("body, fields", WRONG_SHAPE.values(), ids=WRONG_SHAPE.keys())
def test_wrong_shape(server, client, key, body, fields):
    with nothing_stored(server, key, "x"):
        problem = assert_problem(client.put_json_text(body.replace(b"KEY", key.encode())), 400, "body-invalid")
        if fields is not None:
            assert problem["field"] in fields, problem


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json",
                                          "application/problem+json", "application/json; charset=iso-8859-1", "application/json; charset=utf-16",
                                          "application", "application/", "/json", "application/json;charset", "multipart/form-data; boundary=x", "*/*"])
def test_json_form_wants_its_type(server, client, key, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    with nothing_stored(server, key):
        response = client.request("PUT", "/store", headers, b'{"key":"%s","value":1}' % key.encode())
        assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/Json", "application/json;charset=utf-8",
                                          "application/json; charset=UTF-8", 'application/json; charset="utf-8"', "application/json ; Charset=utf-8"])
def test_json_form_takes_its_type(client, key, content_type):
    body = b'{"key":"%s","value":1}' % key.encode()
    assert client.request("PUT", "/store", {"Content-Type": content_type}, body).status == 201


@pytest.mark.parametrize("content_type", ["text", "text/", "/plain", "text/plain; charset", "te xt/plain", "text/plain/more", "text/plain; =x",
                                          'text/plain; charset="utf-8', "text@/plain", "text/plain, text/html"])
def test_raw_form_refuses_malformed_types(server, client, key, content_type):
    with nothing_stored(server, key):
        assert_problem(client.put(key, b"x", {"Content-Type": content_type}), 415, "unsupported-media-type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "x", "identity, gzip"])
@pytest.mark.parametrize("form", ["raw", "json"])
def test_content_encoding_is_refused(server, client, key, coding, form):
    headers = {"Content-Encoding": coding}
    with nothing_stored(server, key):
        response = client.put(key, b"x", headers) if form == "raw" else client.put_json(key, 1, headers)
        assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("coding", ["identity", "Identity"])
def test_identity_is_no_encoding(client, key, coding):
    assert client.put(key, b"x", {"Content-Encoding": coding}).status == 201
    assert client.get_raw(key).body == b"x"


def test_cut_body_stores_nothing(server, key, connect):
    """The client promises 10 bytes, sends 4 and ends its side."""
    with nothing_stored(server, key):
        connection = connect(server)
        connection.send(request_bytes("PUT", path_of(key), {"Content-Length": "10"}) + b"half")
        connection.half_close()
        while connection._fill():
            pass
        if connection.buffer:
            assert_problem(connection.read(), 400, "request-invalid")
