"""Range on raw values: one part, or the whole."""
import pytest

from support.checks import assert_problem

TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def ten(client, key):
    client.put(key, b"0123456789", TEXT)
    return key


def raw(client, key, **headers):
    return client.get(key, {name.replace("_", "-"): value for name, value in headers.items()}, "?raw")


@pytest.mark.parametrize("header, body, content_range", [
    ("bytes=0-0", b"0", "bytes 0-0/10"), ("bytes=2-4", b"234", "bytes 2-4/10"), ("bytes=5-", b"56789", "bytes 5-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"), ("bytes=8-100", b"89", "bytes 8-9/10"), ("bytes=-100", b"0123456789", "bytes 0-9/10")])
def test_a_part(client, ten, header, body, content_range):
    got = raw(client, ten, Range=header)
    assert (got.status, got.body, got.header("Content-Range")) == (206, body, content_range)
    assert got.header("Content-Length") == str(len(body))
    assert got.header("Content-Type") == "text/plain" and got.header("ETag") and got.header("Accept-Ranges") == "bytes"


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "bytes=4-2", "bytes=", "bytes=x-", "lines=1-2", "bytes=-"])
def test_what_is_not_one_range_gets_the_whole(client, ten, header):
    got = raw(client, ten, Range=header)
    assert (got.status, got.body, got.header("Content-Range")) == (200, b"0123456789", None)


def test_behind_the_end(client, ten):
    got = raw(client, ten, Range="bytes=10-")
    assert assert_problem(got, 416, "range-not-satisfiable")["size"] == 10
    assert got.header("Content-Range") == "bytes */10"
    assert raw(client, ten).status == 200, "the connection is still good"


def test_if_range(client, ten):
    etag = client.head(ten).header("ETag")
    assert raw(client, ten, Range="bytes=1-2", If_Range=etag).status == 206
    assert raw(client, ten, Range="bytes=1-2", If_Range="W/" + etag).status == 200
    client.put(ten, b"changed!!!", TEXT)
    got = raw(client, ten, Range="bytes=1-2", If_Range=etag)
    assert (got.status, got.body) == (200, b"changed!!!")


def test_only_raw_gets_have_parts(client, ten):
    assert client.get(ten, {"Range": "bytes=1-2"}).status == 200
    head = client.head(ten, {"Range": "bytes=1-2"}, "?raw")
    assert head.status == 200 and head.header("Content-Length") == "10"
    assert_problem(client.get(ten + "-no", {"Range": "bytes=1-2"}, "?raw"), 404, "not-found")


def test_conditions_come_first(client, ten):
    etag = client.head(ten).header("ETag")
    assert raw(client, ten, Range="bytes=1-2", If_None_Match=etag).status == 304
    assert raw(client, ten, Range="bytes=10-", If_Match='"other"').status == 412


def test_a_large_value_in_parts(client, key):
    value = bytes(range(256)) * 4096
    client.put(key, value)
    parts = [raw(client, key, Range=f"bytes={first}-{first + 99_999}").body for first in range(0, len(value), 100_000)]
    assert b"".join(parts) == value
