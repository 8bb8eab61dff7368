"""GET /store: pages, prefixes, cursors, and what a walk promises while others write."""
import base64
import json
import uuid
from urllib.parse import quote

import pytest

from support.checks import assert_problem, version_of


@pytest.fixture
def prefix():
    return f"l-{uuid.uuid4().hex}/"


def page(client, query):
    response = client.request("GET", f"/store?{query}")
    assert response.status == 200, repr(response)
    assert response.header("Content-Type") == "application/json"
    assert response.header("Armazem-Source") == "store"
    body = response.json()
    assert set(body) <= {"entries", "next"}
    return body


def walk(client, prefix, query="", between=lambda: None):
    """All entries, page by page; `between` is called before each page but the first."""
    entries, after = [], ""
    while True:
        body = page(client, f"prefix={quote(prefix)}{query}{after}")
        entries += body["entries"]
        if "next" not in body:
            return entries
        after = f"&after={body['next']}"
        between()


def names(entries):
    return [entry["key"] for entry in entries]


def test_nothing(client, prefix):
    response = client.request("GET", f"/store?prefix={prefix}")
    assert response.status == 200 and response.body == b'{"entries":[]}\n'


def test_entries_are_whole(client, prefix):
    text = version_of(client.put(prefix + "a", "Olá\n".encode(), {"Content-Type": "text/plain; charset=utf-8"}))
    json_value = version_of(client.put(prefix + "b", b'{\n "x": [1, 2.50]\n}', {"Content-Type": "application/json"}))
    bytes_value = version_of(client.put(prefix + "c", b"\x89PNG", {"Content-Type": "image/png", "Armazem-TTL": "3600"}))
    entries = page(client, f"prefix={prefix}")["entries"]
    expires = client.head(prefix + "c").header("Armazem-Expires")
    assert entries == [
        {"key": prefix + "a", "version": text, "size": 5, "content_type": "text/plain; charset=utf-8", "value": "Olá\n"},
        {"key": prefix + "b", "version": json_value, "size": 19, "content_type": "application/json", "value": {"x": [1, 2.5]}},
        {"key": prefix + "c", "version": bytes_value, "size": 4, "content_type": "image/png", "expires_at": expires,
         "value_base64": "iVBORw=="}]


def test_keys_only_and_base64(client, prefix):
    client.put(prefix + "k", b'{ "a": 1 }', {"Content-Type": "application/json"})
    entry, = page(client, f"prefix={prefix}&keys_only")["entries"]
    assert entry["size"] == 10 and not {"value", "value_base64"} & set(entry)
    assert page(client, f"prefix={prefix}&keys_only=false")["entries"][0]["value"] == {"a": 1}
    entry, = page(client, f"prefix={prefix}&values=base64")["entries"]
    assert base64.b64decode(entry["value_base64"]) == b'{ "a": 1 }'


def test_pages_follow_each_other(client, prefix):
    written = sorted(f"{prefix}{n:03}" for n in range(250))
    for name in written:
        client.put(name, b"x")
    assert len(page(client, f"prefix={prefix}")["entries"]) == 100
    for limit in (1000, 99, 250, 249):
        assert names(walk(client, prefix, f"&limit={limit}&keys_only")) == written, limit


def test_order_and_prefixes_are_of_bytes(client, prefix):
    written = [prefix + end for end in ("", "A", "a", "a/b", "a b", "é", "ê", "☕", "😀", "~", "a&b=c", "%41", "+", "?#")]
    for name in written:
        client.put(name, b"x")
    assert names(walk(client, prefix)) == sorted(written, key=lambda name: name.encode())
    for start in ("a", "é", "a&", "%", "+", "?", "☕"):
        expected = sorted((name for name in written if name.startswith(prefix + start)), key=lambda name: name.encode())
        assert names(walk(client, prefix + start, "&limit=1")) == expected, start
    half = page(client, f"prefix={quote(prefix)}%C3")
    assert names(half["entries"]) == [prefix + "é", prefix + "ê"], "half a character"


def test_deleted_keys_are_left_out(client, prefix):
    for n in range(5):
        client.put(f"{prefix}{n}", b"x")
    client.delete(prefix + "0")
    client.delete(prefix + "3")
    assert names(walk(client, prefix, "&limit=2")) == [f"{prefix}{n}" for n in (1, 2, 4)]


def test_pages_are_bounded_in_bytes(client, prefix):
    for n in range(6):
        client.put(f"{prefix}{n}", bytes([65 + n]) * 1_000_000, {"Content-Type": "text/plain"})
    first = page(client, f"prefix={prefix}")
    assert len(first["entries"]) == 5 and "next" in first, "4 MiB are reached by the fifth"
    entries = walk(client, prefix)
    assert [entry["value"][0] for entry in entries] == list("ABCDEF")
    assert len(walk(client, prefix, "&keys_only")) == 6


def test_a_walk_while_others_write(client, make_client, server, prefix):
    """What is there throughout is seen exactly once; what is written meanwhile is seen if it lies behind the cursor."""
    stays = [f"{prefix}{n:03}" for n in range(0, 100, 2)]
    for name in stays:
        client.put(name, b"old")
    other, turns = make_client(server), []

    def write():
        turn = len(turns)
        turns.append(turn)
        other.put(stays[turn], b"new")                 # lies before the cursor
        other.put(f"{prefix}000-{turn}", b"behind us")  # so does this
        other.put(f"{prefix}zz-{turn}", b"ahead")       # this is still to come
    seen = names(walk(client, prefix, "&limit=10", write))
    assert len(seen) == len(set(seen)), "a key was seen twice"
    assert [name for name in seen if name in set(stays)] == stays
    assert {f"{prefix}zz-{turn}" for turn in turns[:-1]} <= set(seen)
    assert not any("behind" in name for name in seen)


def test_a_cursor_belongs_to_its_prefix(client, prefix):
    for n in range(3):
        client.put(f"{prefix}{n}", b"x")
    cursor = page(client, f"prefix={prefix}&limit=1")["next"]
    assert names(page(client, f"prefix={prefix}&after={cursor}")["entries"]) == [prefix + "1", prefix + "2"]
    client.delete(prefix + "0")
    assert names(page(client, f"prefix={prefix}&after={cursor}")["entries"]) == [prefix + "1", prefix + "2"], "its key is gone"
    for query in (f"after={cursor}", f"prefix={prefix}1&after={cursor}", f"prefix={prefix}&after=", f"prefix={prefix}&after={cursor}A",
                  f"prefix={prefix}&after={cursor[:-1]}", f"prefix={prefix}&after={prefix}1", f"prefix={prefix}&after={cursor}%00"):
        assert_problem(client.request("GET", f"/store?{query}"), 400, "cursor-invalid")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=", "x=1", "raw", "prefix=a&prefix=b", "keys_only=yes",
                                   "values=raw", "prefix=" + "a" * 1025, "&", "PREFIX=a"])
def test_other_queries_are_refused(client, query):
    assert_problem(client.request("GET", f"/store?{query}"), 400, "query-invalid")


def test_head_is_get_without_body(client, prefix):
    client.put(prefix + "k", b"x")
    got, head = (client.request(method, f"/store?prefix={prefix}") for method in ("GET", "HEAD"))
    assert head.status == 200 and head.body == b""
    assert head.header("Content-Length") == str(len(got.body))
    assert head.header("Content-Type") == got.header("Content-Type")


def test_a_list_shows_what_a_write_was_answered_for(client, prefix):
    """Of the store, not of the cache: right after the answer, on a cluster too."""
    for n in range(20):
        version = version_of(client.put(prefix + "k", json.dumps(n).encode(), {"Content-Type": "application/json"}))
        entry, = page(client, f"prefix={prefix}")["entries"]
        assert (entry["version"], entry["value"]) == (version, n)
