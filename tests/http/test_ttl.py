"""Time to live: both ways to set it, what it shows, and that a key is gone after it."""
import datetime
import re
import time

import pytest

from support.checks import assert_problem, nothing_stored, version_of
from support.wait import until

LONGEST = 315_360_000  # ten years in seconds
EXPIRES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
BAD_HEADER = ["0", "-1", "abc", "1.5", "1e3", "+5", "0x10", "1 2", "5,6", "", str(LONGEST + 1), "9" * 30, "-9223372036854775808", "NaN", "5s"]
BAD_RANGE = ["0", "-1", str(LONGEST + 1), "9" * 30, "-" + "9" * 30]
BAD_TYPE = ["1.5", '"10"', "null", "true", "[10]", "{}", "[]", '{"ttl":10}', "[[10]]", "10.0", "1e1"]


def by_header(client, key, seconds):
    return client.put(key, b"value", {"Armazem-TTL": str(seconds)})


def by_body(client, key, seconds):
    return client.put_json(key, "value", ttl=seconds)


def by_header_of_the_json_form(client, key, seconds):
    return client.put_json(key, "value", {"Armazem-TTL": str(seconds)})


WAYS = pytest.mark.parametrize("put", [by_header, by_body, by_header_of_the_json_form])


def expiry(response):
    text = response.header("Armazem-Expires")
    assert text and EXPIRES.fullmatch(text), f"Armazem-Expires: {text!r}"
    return datetime.datetime.fromisoformat(text).timestamp()


@WAYS
@pytest.mark.parametrize("seconds", [1, 60, LONGEST])
def test_expiry_is_shown(client, key, put, seconds):
    before = time.time()
    assert put(client, key, seconds).status == 201
    got = client.get(key)
    assert got.status == 200
    # Some seconds of slack for the clock of a server that is not on this machine.
    assert before + seconds - 5 <= expiry(got) <= time.time() + seconds + 5
    assert expiry(client.head(key)) == expiry(got) == expiry(client.get_raw(key))


@WAYS
def test_key_is_gone_after_its_time_and_not_before(server, client, key, put):
    sent = time.time()
    assert put(client, key, 1).status == 201
    ends = expiry(client.get(key))
    until(lambda: client.get(key).status == 404, 10, "the key expires")
    gone = time.time()
    # The servers of a cluster read this time from clocks of their own.
    assert gone >= sent + (0.99 if server.owned else 0.5), "expired too early"
    if server.owned:
        assert gone >= ends - 0.005, "gone before Armazem-Expires"

    assert_problem(client.get(key), 404, "not-found")
    assert client.head(key).status == 404
    assert client.get(key, {"If-None-Match": "*"}).status == 404
    assert_problem(client.delete(key), 404, "not-found")
    assert client.put(key, b"again").status == 201, "an expired key is created anew, not replaced"


def test_a_put_without_ttl_takes_it_away(client, key):
    by_header(client, key, 60)
    assert client.put(key, b"for good").status == 200
    assert client.get(key).header("Armazem-Expires") is None


def test_a_put_with_another_ttl_replaces_it(client, key):
    by_header(client, key, 1)
    by_body(client, key, 3600)
    first = expiry(client.get(key))
    assert first > time.time() + 3000
    by_header(client, key, 60)
    assert expiry(client.get(key)) < time.time() + 600


def test_expired_key_leaves_its_neighbours(client, key):
    client.put(key + "-stays", b"x")
    by_header(client, key, 1)
    until(lambda: client.get(key).status == 404, 10, "the key expires")
    assert client.get_raw(key + "-stays").body == b"x"


def test_expiry_survives_a_restart(start_server, make_client, key):
    server = start_server()
    client = make_client(server)
    by_header(client, key, 1)
    by_header(client, key + "-long", 3600)
    shown = expiry(client.get(key + "-long"))
    client.close()
    server.stop()
    server.restart()
    client = make_client(server)
    assert expiry(client.get(key + "-long")) == shown
    until(lambda: client.get(key).status == 404, 10, "the key expires after the restart")


@pytest.mark.parametrize("text", BAD_HEADER)
@pytest.mark.parametrize("form", ["raw", "json"])
def test_bad_header(server, client, key, text, form):
    headers = {"Armazem-TTL": text}
    with nothing_stored(server, key):
        response = client.put(key, b"x", headers) if form == "raw" else client.put_json(key, "x", headers)
        assert_problem(response, 400, "ttl-invalid")


@pytest.mark.parametrize("text, slugs", [(text, ["ttl-invalid"]) for text in BAD_RANGE]
                         # a wrong type is named by either of the two problems in the contract's words
                         + [(text, ["ttl-invalid", "body-invalid"]) for text in BAD_TYPE])
def test_bad_body_field(server, client, key, text, slugs):
    with nothing_stored(server, key):
        body = f'{{"key":"{key}","value":1,"ttl":{text}}}'.encode()
        assert_problem(client.put_json_text(body), 400, *slugs)


@pytest.mark.parametrize("header", ["60", "61", "bad"])
def test_header_and_body_field_together(server, client, key, header):
    with nothing_stored(server, key):
        assert_problem(client.put_json(key, "x", {"Armazem-TTL": header}, ttl=60), 400, "ttl-invalid")


def test_bad_ttl_leaves_the_old_record(client, key):
    version = version_of(client.put(key, b"old"))
    assert client.put(key, b"new", {"Armazem-TTL": "0"}).status == 400
    got = client.get_raw(key)
    assert got.body == b"old" and got.header("ETag") == f'"{version}"'
