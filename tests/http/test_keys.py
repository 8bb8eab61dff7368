"""Keys: every awkward one survives both PUT forms and the way back; the vectors fix the encoding in paths."""
import json
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest

from support.checks import assert_problem, nothing_stored, version_of
from support.client import request_of
from support.keys import AWKWARD_KEYS, climbs, path_fully_encoded, path_of

VECTORS = json.loads((Path(__file__).parent / "vectors/keys.json").read_text())


def answered_by_proxies(vector):
    """What NGINX itself refuses in a path: a `%` without two digits, a NUL, and `..` above the root."""
    return "percent" in vector.get("problem", "") or "%00" in vector.get("path", "") or any(map(climbs, vector.get("paths", [])))


def named(vectors):
    return {"argvalues": [pytest.param(vector, marks=pytest.mark.edge) if answered_by_proxies(vector) else vector for vector in vectors],
            "ids": [vector["name"] for vector in vectors]}


def assert_location_names(response, key):
    """The Location of a 201 is a path that decodes to exactly this key and is safe in any header or link."""
    location = response.header("Location")
    assert location.startswith("/store/") and location.isascii(), location
    assert not set(location) & set(' ?#"<>\\^`{|}'), location
    assert unquote_to_bytes(location.removeprefix("/store/")) == key.encode("utf-8")
    return location


@pytest.mark.parametrize("awkward", [pytest.param(text, id=name, marks=[pytest.mark.edge] if climbs(path_of(text)) else [])
                                     for name, text in AWKWARD_KEYS.items()])
def test_awkward_key_through_both_forms_and_back(client, awkward):
    client.delete(awkward)  # another test or an earlier run may have stored it
    created = client.put(awkward, b"raw form")
    assert created.status == 201, repr(created)
    assert created.json()["key"] == awkward
    location = assert_location_names(created, awkward)
    assert client.request("GET", location).json() == {"value": "raw form"}
    assert client.request("GET", path_fully_encoded(awkward)).json() == {"value": "raw form"}

    replaced = client.put_json(awkward, "json form")
    assert replaced.status == 200 and replaced.json()["key"] == awkward
    assert client.get_raw(awkward).body == b"json form"
    assert client.head(awkward).status == 200

    assert client.request("DELETE", path_fully_encoded(awkward)).status == 204
    assert_problem(client.get(awkward), 404, "not-found")
    created = client.put_json(awkward, "created by the json form")
    assert created.status == 201
    assert_location_names(created, awkward)
    assert client.delete(awkward).status == 204


def test_awkward_keys_are_all_different(client, key):
    """Stored side by side under a common prefix none takes another's place. The prefix is a folder, so that none of them leads
    above the root, where a proxy would answer."""
    awkward = [f"{key}/a/b/c/d{text}" for text in AWKWARD_KEYS.values() if len(text.encode()) < 900]
    for number, text in enumerate(awkward):
        assert client.put(text, str(number).encode()).status == 201
    for number, text in enumerate(awkward):
        assert client.get_raw(text).body == str(number).encode(), repr(text)
    for text in awkward:
        assert client.delete(text).status == 204


@pytest.mark.parametrize("vector", **named(VECTORS["valid"]))
def test_every_spelling_is_the_same_key(server, client, connect, vector):
    text = bytes.fromhex(vector["key_hex"])
    connection = connect(server)
    connection.exchange(request_of("DELETE", vector["paths"][0]))
    for number, path in enumerate(vector["paths"]):
        put = connection.exchange(request_of("PUT", path, body=b"%d" % number))
        assert put.status == (200 if number else 201), f"{path}: {put!r}"
        assert put.json()["key"].encode("utf-8") == text
        for other in [*vector["paths"], path_of(text)]:
            got = connection.exchange(request_of("GET", other + "?raw"))
            assert got.body == b"%d" % number, f"{other}: {got!r}"
    assert client.put_json(text.decode("utf-8"), "by JSON").status == 200
    assert client.delete(text).status == 204


@pytest.mark.parametrize("vector", **named(VECTORS["invalid"]))
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_invalid_paths_are_refused(server, client, vector, method):
    with nothing_stored(server):
        body = b"x" if method == "PUT" else None
        problem = assert_problem(client.request(method, vector["path"], body=body), 400, vector["problem"])
        if "too long" in vector["name"]:
            assert problem["limit"] == 1024 and problem["size"] == 1025


@pytest.mark.parametrize("bad, members", [
    ("", {}), ("a\0b", {}), ("\0", {}), ("a" * 1025, {"limit": 1024, "size": 1025}), ("é" * 513, {"limit": 1024, "size": 1026}),
], ids=["empty", "nul-inside", "nul", "too-long", "too-long-in-bytes-only"])
def test_bad_key_in_json(server, client, bad, members):
    with nothing_stored(server):
        problem = assert_problem(client.put_json(bad, "x"), 400, "key-invalid")
        assert {name: problem[name] for name in members} == members


@pytest.mark.parametrize("bad", [rb"\ud800", rb"\udc00", rb"a\ud83dz", rb"\ude00\ud83d"])
def test_half_a_surrogate_pair_in_a_json_key(server, client, bad):
    with nothing_stored(server):
        assert_problem(client.put_json_text(b'{"key":"' + bad + b'","value":1}'), 400, "json-invalid", "key-invalid")


def test_a_key_that_climbs_can_be_written_in_json(client):
    """Through a proxy too, where no path leads to it."""
    climbing = AWKWARD_KEYS["climbing"]
    stored = client.put_json(climbing, "x")
    assert stored.status in (200, 201) and stored.json()["key"] == climbing
    look_up = client.request("GET", f"/operations/{version_of(stored)}?key={quote(climbing, safe='')}")
    assert look_up.status == 200 and look_up.json()["status"] == "applied"


def test_unicode_forms_are_different_keys(client, key):
    client.put(key + AWKWARD_KEYS["nfc"], b"composed")
    assert client.get(key + AWKWARD_KEYS["nfd"]).status == 404
    client.put(key + AWKWARD_KEYS["nfd"], b"decomposed")
    assert client.get_raw(key + AWKWARD_KEYS["nfc"]).body == b"composed"


def test_escaped_and_plain_json_keys_are_the_same(client, key):
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key)
    assert client.put_json_text(f'{{"key":"{escaped}","value":"x"}}'.encode()).status == 201
    assert client.get_raw(key).body == b"x"
