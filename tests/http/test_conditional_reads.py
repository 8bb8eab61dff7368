"""If-None-Match and If-Match on GET and HEAD (RFC 9110 section 13)."""
import pytest

from support.checks import assert_problem, version_of

OTHER = '"0193a1b2-c3d4-7001-8abc-0123456789ab"'
NOT_MODIFIED = ["{tag}", "W/{tag}", "*", f"{OTHER}, {{tag}}", f"{{tag}},{OTHER}", f'"a" , W/{{tag}} ,"b"', 'W/"x",{tag}']
MODIFIED = [OTHER, f"W/{OTHER}", '""', '"abc"', f'{OTHER}, "abc"', '"a,b"']
MALFORMED = ["abc", "{version}", '"abc', 'abc"', 'W/abc', 'w/"abc"', '"a" "b"', '"a", b', "**", "'a'"]
MATCHING = ["{tag}", "*", f"{OTHER}, {{tag}}", f"{{tag}},{OTHER}"]
NOT_MATCHING = [OTHER, '""', '"abc"', f'{OTHER}, "abc"', "W/{tag}"]
METHODS = pytest.mark.parametrize("method", ["GET", "HEAD"])


@pytest.fixture
def stored(client, key):
    version = version_of(client.put(key, b"value"))
    return {"key": key, "version": version, "tag": f'"{version}"'}


def read(client, method, stored, headers, query=""):
    filled = {name: value.format(**stored) for name, value in headers.items()}
    return client.request(method, f"/store/{stored['key']}{query}", filled)


@METHODS
@pytest.mark.parametrize("value", NOT_MODIFIED)
@pytest.mark.parametrize("query", ["", "?raw"])
def test_304(client, stored, method, value, query):
    response = read(client, method, stored, {"If-None-Match": value}, query)
    assert response.status == 304 and response.body == b"", repr(response)
    assert response.header("ETag") == stored["tag"]
    # The connection must be in step: a body after a 304 would be taken for the next answer.
    assert client.get_raw(stored["key"]).body == b"value"


@METHODS
@pytest.mark.parametrize("value", MODIFIED)
def test_another_tag_gives_200(client, stored, method, value):
    assert read(client, method, stored, {"If-None-Match": value}).status == 200


def test_304_ends_with_the_next_write(client, stored):
    client.put(stored["key"], b"value")
    assert read(client, "GET", stored, {"If-None-Match": "{tag}"}).status == 200


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("name", ["If-None-Match", "If-Match"])
def test_malformed(client, stored, name, value):
    assert_problem(read(client, "GET", stored, {name: value}), 400, "etag-invalid")
    assert read(client, "HEAD", stored, {name: value}).status == 400


@METHODS
@pytest.mark.parametrize("value", MATCHING)
def test_if_match_holds(client, stored, method, value):
    assert read(client, method, stored, {"If-Match": value}).status == 200


@METHODS
@pytest.mark.parametrize("value", NOT_MATCHING)
def test_if_match_does_not_hold(client, stored, method, value):
    response = read(client, method, stored, {"If-Match": value})
    assert response.status == 412
    if method == "GET":
        assert_problem(response, 412, "precondition-failed")


@pytest.mark.parametrize("value", ["*", OTHER])
def test_absent_key_is_404_whatever_if_none_match_says(client, key, value):
    assert_problem(client.get(key, {"If-None-Match": value}), 404, "not-found")
    client.put(key, b"x")
    client.delete(key)
    assert_problem(client.get(key, {"If-None-Match": value}), 404, "not-found")


@pytest.mark.parametrize("value", ["*", OTHER])
def test_if_match_on_an_absent_key(client, key, value):
    """RFC 9110 says 412, the contract lists 404 for every absent key: both tell the truth."""
    response = client.get(key, {"If-Match": value})
    assert response.status in (404, 412)
    assert_problem(response, response.status, "not-found", "precondition-failed")
