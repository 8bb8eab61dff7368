"""Which representation an Accept header gets (RFC 9110 section 12.5.1), and what ?raw does."""
import pytest

from support.checks import assert_problem

STORED_TYPE = "image/x-test"
STORED = b"bytes \xff"

JSON = ["*/*", "application/*", "application/json", "Application/JSON", "application/json;q=0.5", "*/*;q=0.1",
        "application/json, text/plain;q=0.9", "text/plain;q=0.9, application/json", "*/*;q=0.1, text/plain;q=0.05",
        "application/json;q=0.9, image/*;q=0.8, */*;q=0.1", "text/html;q=0.3,application/*;q=0.4",
        "application/json; charset=utf-8", "application/json ; q=1.000 , text/plain ; q=0.999"]
RAW = ["text/plain", "image/x-test", "image/*", "text/*", "application/octet-stream", "text/plain, application/json;q=0.5",
       "application/json;q=0.5, text/plain", "image/png, */*;q=0.1", "application/json;q=0, text/plain",
       "text/html;q=0.4,application/*;q=0.3", "application/xml"]


def assert_json(got):
    assert got.status == 200 and got.header("Content-Type") == "application/json", repr(got)
    assert "value_base64" in got.json()
    assert got.header("Vary") == "Accept, Accept-Encoding"


def assert_raw(got):
    assert got.status == 200 and got.header("Content-Type") == STORED_TYPE, repr(got)
    assert got.body == STORED
    assert got.header("X-Content-Type-Options") == "nosniff"
    assert got.header("Vary") == "Accept, Accept-Encoding"


@pytest.fixture
def stored(client, key):
    assert client.put(key, STORED, {"Content-Type": STORED_TYPE}).status == 201
    return key


@pytest.mark.parametrize("accept", JSON)
def test_json_is_chosen(client, stored, accept):
    assert_json(client.get(stored, {"Accept": accept}))


@pytest.mark.parametrize("accept", RAW)
def test_bytes_are_chosen(client, stored, accept):
    assert_raw(client.get(stored, {"Accept": accept}))


@pytest.mark.parametrize("accept", JSON[:3] + RAW[:3])
def test_head_negotiates_like_get(client, stored, accept):
    got, head = client.get(stored, {"Accept": accept}), client.head(stored, {"Accept": accept})
    for name in ("Content-Type", "Content-Length", "ETag", "Vary"):
        assert head.header(name) == got.header(name)


@pytest.mark.parametrize("query, check", [("?raw", assert_raw), ("?raw=true", assert_raw), ("?raw=false", assert_json)])
def test_raw_query(client, stored, query, check):
    check(client.get(stored, query=query))
    assert client.head(stored, query=query).status == 200


def test_raw_query_wins_over_accept(client, stored):
    assert_raw(client.get(stored, {"Accept": "application/json"}, "?raw"))


@pytest.mark.parametrize("query", ["?raw=1", "?raw=yes", "?raw=True", "?RAW", "?x", "?raw&x=1", "?prefix=a", "?=", "?raw%3Dtrue"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_other_queries_are_refused(client, stored, query, method):
    response = client.request(method, f"/store/{stored}{query}")
    assert response.status == 400
    if method == "GET":
        assert_problem(response, 400, "query-invalid")


@pytest.mark.parametrize("query", ["?raw", "?raw=true", "?raw=false", "?x=1"])
def test_writes_take_no_query(client, stored, query):
    before = client.get_raw(stored).header("ETag")
    assert_problem(client.request("PUT", f"/store/{stored}{query}", body=b"new"), 400, "query-invalid")
    assert_problem(client.request("DELETE", f"/store/{stored}{query}"), 400, "query-invalid")
    assert client.get_raw(stored).header("ETag") == before
