"""What a stored value looks like when read: embedded JSON, text, base64, or its own bytes."""
import base64
import json

import pytest

TEXT = "text/plain; charset=utf-8"
LONG_NUMBER = "123456789012345678901234567890.000000000000000000001000"

# value as written in the body of PUT /store → the compact text it is stored as
JSON_VALUES = {
    "null": ("null", "null"),
    "true": ("true", "true"),
    "false": ("false", "false"),
    "zero": ("0", "0"),
    "empty object": ("{ }", "{}"),
    "empty array": ("[ ]", "[]"),
    "object loses only blanks": ('{ "b" : 1 , "a" : [ 1 , 2.0 ] }', '{"b":1,"a":[1,2.0]}'),
    "line ends": ('{\r\n\t"a":\n1}', '{"a":1}'),
    "members of its own called key, value and ttl": ('{"key":"x","value":{"ttl":-1,"key":[]},"ttl":"y"}',) * 2,
    "empty and repeated names": ('{"":1,"":[{"":{}}]}',) * 2,
    "blanks inside strings stay": ('{"a b": " c  d "}', '{"a b":" c  d "}'),
}

# Every digit must come back: a server that goes through doubles fails here.
NUMBERS = ["0", "-0", "1.0", "1.10", "-1.50", "1e5", "1E+5", "1e-7", "9007199254740993", "18446744073709551615",
           "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", LONG_NUMBER,
           "1e400", "-1e-400", "0.1000000000000000055511151231257827", "1" + "0" * 300, "3." + "1415926535" * 20]

TEXTS = ["", "text", "null", "123", '{"a":1}', " ", "\n", "\t\r\n", "\0", "\x01\x1f\x7f", '"', "\\", "\\u0041", "/", "</script>",
         "\u00e9", "e\u0301", "€", "🏬", "👩‍👩‍👧‍👦", "\u2028\u2029", "\ufeff", "\uffff", "\U0010ffff", "a" * 100_000, "🏬" * 10_000]

# No text: invalid UTF-8 in each way a decoder may overlook.
BINARIES = [b"\xff", b"\x80", b"\xc3", b"\xc0\x80", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\x8f", b"\xf4\x90\x80\x80",
            b"text then \xfe", bytes(range(256)), bytes(range(256)) * 300, b"\xff\xff", b"\xff\xff\xff", b"\x89PNG\r\n\x1a\n\0"]


def raw(client, key):
    got = client.get_raw(key)
    assert got.status == 200, repr(got)
    assert got.header("X-Content-Type-Options") == "nosniff"
    return got.header("Content-Type"), got.body


@pytest.mark.parametrize("written, stored", JSON_VALUES.values(), ids=JSON_VALUES.keys())
def test_json_value_is_stored_compact(client, key, written, stored):
    body = f'{{"key":"{key}","value":{written}}}'.encode()
    assert client.put_json_text(body).status == 201
    assert raw(client, key) == ("application/json", stored.encode())
    assert client.get(key).body == b'{"value":' + stored.encode() + b"}\n"


@pytest.mark.parametrize("body", ['{"value":[1],"ttl":600,"key":"KEY"}', '{"ttl":600,"key":"KEY","value":[1]}', ' { "ttl" : 600 , "value" : [ 1 ] , "key" : "KEY" } \r\n'],
                         ids=range(3))
def test_order_of_members_means_nothing(client, key, body):
    assert client.put_json_text(body.replace("KEY", key).encode()).status == 201
    assert raw(client, key) == ("application/json", b"[1]")
    assert client.get(key).header("Armazem-Expires")


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
@pytest.mark.parametrize("pattern", ["{}", "[{}]", '{{"n":{}}}'])
def test_numbers_keep_every_digit(client, key, number, pattern):
    text = pattern.format(number)
    assert client.put_json_text(f'{{"key":"{key}","value":{text}}}'.encode()).status == 201
    assert raw(client, key) == ("application/json", text.encode())
    assert client.get(key).body == f'{{"value":{text}}}\n'.encode()


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_of_a_raw_put_are_embedded_with_every_digit(client, key, number):
    client.put(key, number.encode(), {"Content-Type": "application/json"})
    assert client.get(key).body == f'{{"value":{number}}}\n'.encode()


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("escaped", [False, True])
def test_string_is_stored_as_its_text(client, key, text, escaped):
    body = json.dumps({"key": key, "value": text}, ensure_ascii=escaped).encode("utf-8")
    assert client.put_json_text(body).status == 201
    assert raw(client, key) == (TEXT, text.encode("utf-8"))
    assert client.get(key).json() == {"value": text}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream", "image/svg+xml"])
def test_utf8_bytes_read_as_json_text(client, key, text, content_type):
    """Text is decided by the bytes, not by the content type."""
    client.put(key, text.encode("utf-8"), {"Content-Type": content_type} if content_type else {})
    assert client.get(key).json() == {"value": text}
    assert raw(client, key) == (content_type or "application/octet-stream", text.encode("utf-8"))


@pytest.mark.parametrize("data", BINARIES, ids=range(len(BINARIES)))
@pytest.mark.parametrize("content_type", [None, "text/plain; charset=utf-8", "application/json"])
def test_binary_reads_as_base64(client, key, data, content_type):
    client.put(key, data, {"Content-Type": content_type} if content_type else {})
    got = client.get(key)
    assert got.header("Content-Type") == "application/json"
    assert got.json() == {"value_base64": base64.b64encode(data).decode()}
    assert raw(client, key) == (content_type or "application/octet-stream", data)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/vnd.api+json",
                                          "application/problem+json", "Application/JSON"])
@pytest.mark.parametrize("text", ['{ "a" : [1, 2.50, "é"] }', "[]", "null", '"text"', " 7 "])
def test_raw_json_is_embedded_and_kept_as_it_is(client, key, content_type, text):
    client.put(key, text.encode("utf-8"), {"Content-Type": content_type})
    got = client.get(key)
    assert got.json() == {"value": json.loads(text)}
    assert raw(client, key) == (content_type, text.encode("utf-8"))


@pytest.mark.parametrize("text", ["", "{", "{'a':1}", "nul", "01", "1 2", "[1,]", '{"a":1,}', "NaN", "// c\n1", '"\n"'])
def test_invalid_json_with_json_type_reads_as_text(client, key, text):
    client.put(key, text.encode(), {"Content-Type": "application/json"})
    assert client.get(key).json() == {"value": text}
    assert raw(client, key) == ("application/json", text.encode())


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=iso-8859-1", "image/png", "x/y", "a.b+c/d.e-f_g",
                                          'multipart/mixed; boundary="a b;c"', "text/plain;charset=UTF-8;format=flowed"])
def test_content_type_is_kept_as_it_is(client, key, content_type):
    client.put(key, b"\xe9", {"Content-Type": content_type})
    assert raw(client, key) == (content_type, b"\xe9")


def test_each_put_replaces_the_content_type(client, key):
    client.put(key, b"x", {"Content-Type": "image/png"})
    client.put_json(key, "text")
    assert raw(client, key) == (TEXT, b"text")
    client.put_json(key, [1])
    assert raw(client, key) == ("application/json", b"[1]")
    client.put(key, b"y")
    assert raw(client, key) == ("application/octet-stream", b"y")


@pytest.mark.parametrize("text", [b"[" * 400_000 + b"]" * 400_000, b"[" * 900_000, b'{"a":' * 150_000 + b"1" + b"}" * 150_000],
                         ids=["arrays", "openings", "objects"])
def test_deep_json_of_a_raw_put_does_not_break_reading(client, key, text):
    """Embedded or shown as text, both are right; a recursive check of the stored bytes would end the stack."""
    client.put(key, text, {"Content-Type": "application/json"})
    got = client.get(key)
    assert got.status == 200 and got.body.startswith(b'{"value":') and got.body.endswith(b"}\n")
    assert raw(client, key) == ("application/json", text)


def test_a_value_of_exactly_the_limit(client, key):
    data = bytes(range(256)) * 4096
    assert client.put(key, data).status == 201
    assert raw(client, key) == ("application/octet-stream", data)
    text = "a" * len(data)
    assert client.put_json(key, text).status == 200
    assert client.get(key).json() == {"value": text}
