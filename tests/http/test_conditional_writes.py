"""If-Match and If-None-Match on both PUT forms and DELETE, in every combination with the record's state."""
import itertools
import threading
import uuid

import pytest

from support.checks import assert_problem, nothing_stored, version_ahead, version_of
from support.client import Client
from support.wait import until

STATES = ["never", "present", "deleted", "expired"]
WRITES = ["put", "put_json", "delete"]
OTHER_VERSION = "0193a1b2-c3d4-7001-8abc-0123456789ab"
# condition → does it hold for a record that is there (with an older version besides the current one)?
CONDITIONS = {
    "none": (None, None),
    "create-only": ("If-None-Match", "*"),
    "must-exist": ("If-Match", "*"),
    "current": ("If-Match", '"{current}"'),
    "older": ("If-Match", '"{older}"'),
    "other": ("If-Match", f'"{OTHER_VERSION}"'),
    "weak": ("If-Match", 'W/"{current}"'),
    "no-version": ("If-Match", '"abc"'),
    "empty-tag": ("If-Match", '""'),
}
HOLDS_WHEN_PRESENT = {"none", "must-exist", "current"}
HOLDS_WHEN_ABSENT = {"none", "create-only"}
MALFORMED = [("If-Match", "{current}"), ("If-Match", "abc"), ("If-Match", '"abc'), ("If-Match", 'abc"'), ("If-Match", '"a"b"'),
             ("If-Match", 'w/"a"'), ("If-Match", 'W/abc'), ("If-Match", '"a", "b"'), ("If-Match", '"{current}", "b"'),
             ("If-Match", '*, "a"'), ("If-Match", "**"), ("If-Match", "'{current}'"),
             ("If-None-Match", '"{current}"'), ("If-None-Match", '"abc"'), ("If-None-Match", "abc"), ("If-None-Match", 'W/"{current}"'),
             ("If-None-Match", '*, "a"'), ("If-None-Match", "**")]


def write(client, kind, key, headers):
    if kind == "put":
        return client.put(key, b"new", headers)
    if kind == "put_json":
        return client.put_json(key, "new", headers)
    return client.delete(key, headers)


def two_versions(client, key):
    older = version_of(client.put(key, b"older"))
    return {"older": older, "current": version_of(client.put(key, b"old"))}


@pytest.fixture(scope="module")
def expired_keys(server):
    """All keys of the 'expired' state are stored at once, so that the module waits for one expiry only."""
    client = Client(server.address)
    keys = {}
    for kind, condition in itertools.product(WRITES, CONDITIONS):
        key = f"expired-{kind}-{condition}-{uuid.uuid4().hex}"
        versions = {"older": version_of(client.put(key, b"older"))}
        versions["current"] = version_of(client.put(key, b"old", {"Armazem-TTL": "1"}))
        keys[kind, condition] = (key, versions)
    yield keys
    client.close()


@pytest.fixture
def in_state(client, key, expired_keys):
    """Brings a key into the state; gives the key and the versions it had."""
    def make(state, kind, condition):
        if state == "expired":
            expired, versions = expired_keys[kind, condition]
            until(lambda: client.get(expired).status == 404, 10, "the key expires")
            return expired, versions
        versions = {"older": OTHER_VERSION, "current": OTHER_VERSION}
        if state != "never":
            versions = two_versions(client, key)
        if state == "deleted":
            client.delete(key)
        return key, versions

    return make


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_combination(client, in_state, state, kind, condition):
    key, versions = in_state(state, kind, condition)
    name, value = CONDITIONS[condition]
    headers = {name: value.format(**versions)} if name else {}
    present = state == "present"
    holds = condition in (HOLDS_WHEN_PRESENT if present else HOLDS_WHEN_ABSENT)

    response = write(client, kind, key, headers)
    after = client.get_raw(key)
    if not holds:
        problem = assert_problem(response, 412, "precondition-failed")
        current = f'"{versions["current"]}"' if present else None
        assert response.header("ETag") == current
        assert "current_etag" in problem
        # The quotes may be part of the member or not; the version must be the current one.
        assert (problem["current_etag"] or "").strip('"') == (current or "").strip('"')
        assert problem["current_etag"] is not None or not present
        assert (after.status, after.header("ETag")) == ((200, current) if present else (404, None))
    elif kind == "delete":
        assert response.status == (204 if present else 404), repr(response)
        assert after.status == 404
    else:
        assert response.status == (200 if present else 201), repr(response)
        assert after.body == b"new" and after.header("ETag") == f'"{version_of(response)}"'


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("name, value", MALFORMED)
def test_malformed_or_unsupported(server, client, key, kind, name, value):
    versions = two_versions(client, key)
    with nothing_stored(server):
        assert_problem(write(client, kind, key, {name: value.format(**versions)}), 400, "etag-invalid")
    assert client.get_raw(key).body == b"old"


@pytest.mark.parametrize("kind", WRITES)
def test_both_headers_are_refused(server, client, key, kind):
    versions = two_versions(client, key)
    for tag in ("*", f'"{versions["current"]}"'):
        with nothing_stored(server):
            assert_problem(write(client, kind, key, {"If-Match": tag, "If-None-Match": "*"}), 400, "etag-invalid")
    assert client.get_raw(key).body == b"old"


@pytest.mark.edge
@pytest.mark.parametrize("kind", ["put", "delete"])
def test_a_repeated_header_is_a_list(server, client, key, kind):
    versions = two_versions(client, key)
    headers = [("If-Match", f'"{versions["current"]}"'), ("If-Match", '"b"')]
    with nothing_stored(server):
        assert_problem(write(client, kind, key, headers), 400, "etag-invalid")


@pytest.mark.parametrize("kind", WRITES)
def test_version_too_far_ahead(server, client, key, kind):
    two_versions(client, key)
    with nothing_stored(server):
        response = write(client, kind, key, {"If-Match": f'"{version_ahead(3600)}"'})
        assert_problem(response, 400, "version-too-far-ahead")


def test_chain_of_compare_and_set(client, key):
    version = version_of(client.put(key, b"0", {"If-None-Match": "*"}))
    for number in range(1, 20):
        put = client.put(key, b"%d" % number, {"If-Match": f'"{version}"'})
        assert put.status == 200
        assert_problem(client.put(key, b"late", {"If-Match": f'"{version}"'}), 412, "precondition-failed")
        version = version_of(put)
    assert client.get_raw(key).body == b"19"


@pytest.mark.parametrize("headers", [{"If-None-Match": "*"}, {"If-Match": None}], ids=["create-only", "compare-and-set"])
def test_of_many_at_once_exactly_one_wins(server, client, key, headers):
    if "If-Match" in headers:
        headers = {"If-Match": f'"{version_of(client.put(key, b"start"))}"'}
    contestants = 16
    barrier, answers = threading.Barrier(contestants), {}

    def contest(number):
        mine = Client(server.address)
        barrier.wait(10)
        answers[number] = mine.put(key, b"%d" % number, headers)
        mine.close()

    threads = [threading.Thread(target=contest, args=(number,)) for number in range(contestants)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number, answer in answers.items() if answer.status in (200, 201)]
    assert len(answers) == contestants and len(winners) == 1, answers
    for number, answer in answers.items():
        if number not in winners:
            assert_problem(answer, 412, "precondition-failed")
    got = client.get_raw(key)
    assert got.body == b"%d" % winners[0]
    assert got.header("ETag") == answers[winners[0]].header("ETag")
