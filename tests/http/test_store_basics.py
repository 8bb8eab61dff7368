"""PUT, GET, HEAD and DELETE of one key: statuses, headers and bodies as the contract words them."""
import email.utils
import time

import pytest

from support.checks import assert_problem, assert_version, version_ahead, version_of
from support.http_raw import request_bytes
from support.keys import path_of

CLOCK_SECONDS = 5  # how far an external server's clock may be from ours


def put_raw(client, key, text, headers=()):
    return client.put(key, text.encode("utf-8"), headers)


def put_json(client, key, text, headers=()):
    return client.put_json(key, text, headers)


BOTH_FORMS = pytest.mark.parametrize("put", [put_raw, put_json])


@BOTH_FORMS
def test_put_answers_201_then_200(client, key, put):
    created = put(client, key, "one")
    assert created.status == 201, repr(created)
    assert created.header("Content-Type") == "application/json"
    version = version_of(created)
    assert created.header("ETag") == f'"{version}"'
    assert created.json() == {"key": key, "version": version}
    assert created.body.endswith(b"}\n")
    assert created.header("Location") == path_of(key)

    replaced = put(client, key, "two")
    assert replaced.status == 200, repr(replaced)
    assert version_of(replaced) > version
    assert replaced.header("ETag") == f'"{version_of(replaced)}"'
    assert replaced.header("Location") is None
    assert client.get_raw(key).body == b"two"


@BOTH_FORMS
def test_get_shows_value_and_metadata(client, key, put):
    version = version_of(put(client, key, "Olá, armazém"))
    got = client.get(key)
    assert got.status == 200
    assert got.json() == {"value": "Olá, armazém"}
    assert got.body.endswith(b"}\n")
    assert got.header("Content-Type") == "application/json"
    assert got.header("ETag") == f'"{version}"'
    assert got.header("Cache-Control") == "no-cache"
    assert got.header("Vary") == "Accept, Accept-Encoding"
    assert got.header("Armazem-Source") == "store", "without a cache, and where no-cache was asked for"
    assert got.header("Age") is None
    assert got.header("Armazem-Expires") is None
    modified = email.utils.parsedate_to_datetime(got.header("Last-Modified")).timestamp()
    assert abs(modified - time.time()) <= CLOCK_SECONDS + 1


@pytest.mark.parametrize("query", ["", "?raw"])
def test_head_is_get_without_body(client, key, query):
    client.put(key, b"some text", {"Content-Type": "text/x-mine"})
    got = client.get(key, query=query)
    head = client.head(key, query=query)
    assert head.status == 200 and head.body == b""
    dated = {"date", "x-request-id"}
    assert {(n.lower(), v) for n, v in head.headers if n.lower() not in dated} == \
           {(n.lower(), v) for n, v in got.headers if n.lower() not in dated}
    assert head.header("Content-Length") == str(len(got.body))


def test_delete_answers_204_then_404(client, key):
    stored = version_of(client.put(key, b"x"))
    deleted = client.delete(key)
    assert deleted.status == 204 and deleted.body == b""
    assert version_of(deleted) > stored
    again = client.delete(key)
    assert_problem(again, 404, "not-found")
    assert version_of(again) > version_of(deleted)


def test_delete_ignores_a_body(client, key):
    client.put(key, b"x")
    assert client.delete(key, body=b'{"some": "body"}').status == 204
    assert client.get(key).status == 404


@pytest.mark.parametrize("query", ["", "?raw"])
def test_absent_and_deleted_are_404(client, key, query):
    assert_problem(client.get(key, query=query), 404, "not-found")
    assert client.head(key, query=query).status == 404
    client.put(key, b"x")
    client.delete(key)
    assert_problem(client.get(key, query=query), 404, "not-found")
    head = client.head(key, query=query)
    assert head.status == 404 and head.body == b"" and head.header("ETag") is None


def test_put_after_delete_creates(client, key):
    client.put(key, b"x")
    deleted = version_of(client.delete(key))
    created = client.put(key, b"y")
    assert created.status == 201
    assert version_of(created) > deleted
    assert client.get_raw(key).body == b"y"


def test_empty_value_differs_from_absent(client, key):
    assert client.put(key, b"").status == 201
    got = client.get_raw(key)
    assert got.status == 200 and got.body == b"" and got.header("Content-Length") == "0"
    assert client.get(key).json() == {"value": ""}
    assert client.put(key, b"").status == 200
    assert client.delete(key).status == 204
    assert client.get_raw(key).status == 404


def test_put_without_any_framing_is_an_empty_value(client, key, connect, server):
    """No Content-Length and no Transfer-Encoding means no body (RFC 9112 section 6.3)."""
    connection = connect(server)
    assert connection.exchange(request_bytes("PUT", path_of(key))).status == 201
    assert client.get_raw(key).body == b""


def test_versions_rise_over_keys_and_carry_the_time(server, client, key):
    """Over all keys they rise within one process; over the processes of a cluster, each with its clock, for each key."""
    versions = [version_of(client.put(f"{key}-{n % 7}", b"x")) for n in range(50)]
    assert len(set(versions)) == len(versions)
    for rising in [versions] if server.owned else [versions[n::7] for n in range(7)]:
        assert rising == sorted(rising)
    milliseconds = int(assert_version(versions[-1]).replace("-", "")[:12], 16)
    assert abs(milliseconds / 1000 - time.time()) <= CLOCK_SECONDS


def test_same_value_again_is_a_new_version(client, key):
    first = version_of(client.put(key, b"same"))
    assert version_of(client.put(key, b"same")) > first


class TestMinimumVersion:
    def test_a_version_just_written_is_satisfied(self, client, key):
        version = version_of(client.put(key, b"x"))
        got = client.get(key, {"Armazem-Min-Version": version}, "?raw")
        assert got.status == 200 and got.body == b"x"

    def test_a_deletes_version_is_satisfied_too(self, client, key):
        client.put(key, b"x")
        version = version_of(client.delete(key))
        assert_problem(client.get(key, {"Armazem-Min-Version": version}), 404, "not-found")

    @pytest.mark.parametrize("text", ["", "x", "1", "0193a1b2-c3d4-7001-8abc-0123456789a",
                                      "0193a1b2-c3d4-7001-8abc-0123456789abc", "0193a1b2c3d470018abc0123456789ab",
                                      "0193a1b2-c3d4-7001-8abc-0123456789ag", "null"])
    def test_malformed(self, client, key, text):
        client.put(key, b"x")
        assert_problem(client.get(key, {"Armazem-Min-Version": text}), 400, "version-invalid")

    def test_too_far_ahead(self, client, key):
        client.put(key, b"x")
        assert_problem(client.get(key, {"Armazem-Min-Version": version_ahead(3600)}), 400, "version-too-far-ahead")
