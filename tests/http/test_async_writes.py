"""Prefer: respond-async and wait=N. With a queue a write may be answered with 202 and a Location that tells what becomes of it;
without one every write is answered when it is done. The same tests hold for both: `wait_until_applied` takes either answer."""
import uuid

import pytest

from support.checks import assert_problem, nothing_stored, version_of
from support.http_raw import request_bytes
from support.keys import AWKWARD_KEYS, climbs, path_of
from support.operations import APPLIED_WITHIN_SECONDS, assert_accepted, wait_until_applied
from support.wait import until

ASYNC = {"Prefer": "respond-async"}
WAIT = {"Prefer": "wait=30"}
FRESH = {"Cache-Control": "no-cache"}
SPELLINGS = ["respond-async", "Respond-Async", "respond-async, wait=10", "wait=10, respond-async", "respond-async; x=y", "a, respond-async, b"]


def put(client, key, text, headers):
    return client.put(key, text.encode(), headers)


def put_json(client, key, text, headers):
    return client.put_json(key, text, headers)


FORMS = pytest.mark.parametrize("write", [put, put_json])


def assert_answer(response, queue, *done):
    """202 where there is a queue; the answer that tells what was done where there is none. While a queue does not take
    writes, they are done at once there too."""
    assert response.status in done + ((202,) if queue else ()), repr(response)
    return response


@FORMS
@pytest.mark.parametrize("prefer", SPELLINGS)
def test_put_is_applied(plain_client, queue, key, write, prefer):
    response = assert_answer(write(plain_client, key, "later", {"Prefer": prefer}), queue, 201)
    operation = wait_until_applied(plain_client, response, key)
    assert operation["effect"] == "created"
    got = plain_client.get(key, FRESH, "?raw")
    assert got.body == b"later" and got.header("ETag") == f'"{operation["version"]}"'


def test_delete_is_applied(plain_client, queue, key):
    plain_client.put(key, b"x", WAIT)
    response = assert_answer(plain_client.delete(key, ASYNC), queue, 204)
    assert wait_until_applied(plain_client, response, key)["effect"] == "deleted"
    assert_problem(plain_client.get(key, FRESH), 404, "not-found")
    response = assert_answer(plain_client.delete(key, ASYNC), queue, 404)
    assert wait_until_applied(plain_client, response, key)["effect"] == "nothing-to-delete"


def test_the_versions_of_202s_are_session_tokens(plain_client, queue, key):
    """Who waits for its own write by Armazem-Min-Version sees it, or is told that it is not there yet."""
    for number in range(5):
        response = plain_client.put(key, b"%d" % number, ASYNC)
        got = plain_client.get(key, {"Armazem-Min-Version": version_of(response)}, "?raw")
        if got.status == 503 and queue:
            assert_problem(got, 503, "not-yet-visible")
            wait_until_applied(plain_client, response, key)
            got = plain_client.get(key, {"Armazem-Min-Version": version_of(response)}, "?raw")
        assert got.body == b"%d" % number


def test_of_many_to_one_key_the_newest_stands(plain_client, queue, server, key):
    """None is waited for. Versions decide: on a cluster two servers with a clock each may stamp in another order than the
    client sent (then the one before supersedes), one server never does."""
    sent = {}
    for number in range(20):
        response = assert_answer(plain_client.put(key, b"%d" % number, ASYNC), queue, 200, 201)
        sent[version_of(response)] = b"%d" % number
    newest = max(sent)

    def there():
        got = plain_client.get(key, FRESH, "?raw")
        return got if got.header("ETag") == f'"{newest}"' else None

    assert until(there, APPLIED_WITHIN_SECONDS, "the newest write is applied").body == sent[newest]
    if server.owned:
        assert sent[newest] == b"19"


def test_many_at_once_are_all_applied(plain_client, queue, key, connect, server):
    count = 100
    connection = connect(server)
    connection.send(b"".join(request_bytes("PUT", path_of(f"{key}-{number}"), ASYNC, b"%d" % number) for number in range(count)))
    responses = [assert_answer(connection.read(), queue, 201) for _ in range(count)]
    for number, response in enumerate(responses):
        wait_until_applied(plain_client, response, f"{key}-{number}")
        assert plain_client.get(f"{key}-{number}", FRESH, "?raw").body == b"%d" % number


@pytest.mark.parametrize("awkward", [text for text in AWKWARD_KEYS.values() if not climbs(path_of(text))],
                         ids=[name for name, text in AWKWARD_KEYS.items() if not climbs(path_of(text))])
def test_the_location_names_awkward_keys(plain_client, queue, awkward):
    response = assert_answer(plain_client.put(awkward, b"x", ASYNC), queue, 200, 201)
    wait_until_applied(plain_client, response, awkward)
    response = assert_answer(plain_client.delete(awkward, ASYNC), queue, 204)
    wait_until_applied(plain_client, response, awkward)


@FORMS
def test_ttl_counts(plain_client, queue, key, write):
    wait_until_applied(plain_client, write(plain_client, key, "x", {**ASYNC, "Armazem-TTL": "600"}), key)
    assert plain_client.get(key, FRESH).header("Armazem-Expires")


class TestIdempotency:
    @FORMS
    def test_repeated_it_is_the_same_operation(self, plain_client, queue, key, write):
        headers = {**ASYNC, "Idempotency-Key": f"op-{uuid.uuid4()}"}
        operations = [wait_until_applied(plain_client, assert_answer(write(plain_client, key, "x", headers), queue, 201), key)
                      for _ in range(3)]
        assert len({(operation["version"], operation["effect"]) for operation in operations}) == 1

    def test_repeated_without_waiting(self, plain_client, queue, key):
        headers = {**ASYNC, "Idempotency-Key": f"op-{uuid.uuid4()}"}
        responses = [assert_answer(plain_client.put(key, b"x", headers), queue, 201) for _ in range(5)]
        operations = [wait_until_applied(plain_client, response, key) for response in responses]
        assert {(operation["version"], operation["effect"]) for operation in operations} == {(operations[0]["version"], "created")}
        assert plain_client.get(key, FRESH).header("ETag") == f'"{operations[0]["version"]}"'

    def test_synchronous_repetition_is_answered_as_it_was_decided(self, plain_client, queue, key):
        """After a 202 a client may ask again by repeating the write: the same status and version as if it had waited."""
        name = {"Idempotency-Key": f"op-{uuid.uuid4()}"}
        operation = wait_until_applied(plain_client, plain_client.put(key, b"x", {**ASYNC, **name}), key)
        again = plain_client.put(key, b"x", {**name, **WAIT})
        assert again.status == 201 and version_of(again) == operation["version"]

    def test_it_does_not_undo_a_newer_write(self, plain_client, queue, key):
        headers = {**ASYNC, "Idempotency-Key": f"op-{uuid.uuid4()}"}
        wait_until_applied(plain_client, plain_client.put(key, b"first", headers), key)
        newer = plain_client.put(key, b"newer", WAIT)
        wait_until_applied(plain_client, plain_client.put(key, b"first", headers), key)
        got = plain_client.get(key, FRESH, "?raw")
        assert got.body == b"newer" and got.header("ETag") == f'"{version_of(newer)}"'


class TestRefused:
    @pytest.mark.parametrize("condition", [{"If-None-Match": "*"}, {"If-Match": "*"}, {"If-Match": '"0193a1b2-c3d4-7001-8abc-0123456789ab"'}])
    def test_with_a_condition(self, server, plain_client, key, condition):
        with nothing_stored(server, key):
            for response in (plain_client.put(key, b"x", {**ASYNC, **condition}), plain_client.put_json(key, "x", {**ASYNC, **condition}),
                             plain_client.delete(key, {**ASYNC, **condition})):
                assert_problem(response, 400, "respond-async-conditional")

    def test_refusals_are_immediate_all_the_same(self, server, plain_client, key):
        """A 202 is a promise, so nothing that is refused by its form may get one."""
        with nothing_stored(server, key):
            assert_problem(plain_client.put(key, b"x", {**ASYNC, "Armazem-TTL": "0"}), 400, "ttl-invalid")
            assert_problem(plain_client.put_json_text(b"{", ASYNC), 400, "json-invalid")
            assert_problem(plain_client.put_json("", "x", ASYNC), 400, "key-invalid")
            assert_problem(plain_client.put_json(key, "x", {**ASYNC, "Content-Type": "text/plain"}), 415, "unsupported-media-type")
            assert_problem(plain_client.put(key, b"x" * (1024 * 1024 + 1), ASYNC), 413, "value-too-large")


class TestWait:
    @FORMS
    @pytest.mark.parametrize("seconds", ["0", "1", "30", "31", "9999"])
    def test_of_any_length(self, plain_client, queue, key, write, seconds):
        """`wait=0` on a cluster is likely a 202, a longer one is not; what is written is the same."""
        response = assert_answer(write(plain_client, key, "x", {"Prefer": f"wait={seconds}"}), queue, 201)
        wait_until_applied(plain_client, response, key)
        assert plain_client.get(key, FRESH).json() == {"value": "x"}

    @pytest.mark.parametrize("value", ["wait", "wait=", "wait=x", "wait=-1", "wait=1.5", "wait=99999999999999999999", 'wait="1"', "wait=1, wait=2"])
    def test_malformed_is_ignored(self, plain_client, queue, key, value):
        """Preferences are no demands (RFC 7240, section 2)."""
        wait_until_applied(plain_client, assert_answer(plain_client.put(key, b"x", {"Prefer": value}), queue, 201), key)

    def test_a_conditional_write_waits_anyway(self, plain_client, key):
        """Its outcome is only known when it is done: there is no 202."""
        created = plain_client.put(key, b"x", {"Prefer": "wait=0", "If-None-Match": "*"})
        assert created.status == 201
        assert_problem(plain_client.put(key, b"y", {"Prefer": "wait=0", "If-None-Match": "*"}), 412, "precondition-failed")


class TestAccepted:
    """The 202 itself. Only a server with a queue gives it."""

    @FORMS
    def test_answer(self, plain_client, queue, key, write):
        if not queue:
            pytest.skip("the server has no queue, so it answers no write with 202")
        response = write(plain_client, key, "x", {**ASYNC, "X-Request-Id": "later-1"})
        assert_accepted(response, key)
        assert response.header("X-Request-Id") == "later-1"

    def test_head_of_the_location(self, plain_client, queue, key):
        if not queue:
            pytest.skip("the server has no queue, so it answers no write with 202")
        location = assert_accepted(plain_client.put(key, b"x", ASYNC), key)
        assert plain_client.request("HEAD", location).status == 200
