"""GET /operations/{version}?key=: what became of a write, as the history of its key tells it."""
import time
import uuid

import pytest

from support.checks import assert_problem, nothing_stored, version_of
from support.keys import AWKWARD_KEYS
from support.operations import assert_operation, operation_path
from support.wait import until

HISTORY = 8  # writes that are remembered for each key, however old they are
HISTORY_OF_A_HOT_KEY = 512  # at most, while they are young
RETENTION_SECONDS = 24 * 3600  # the default: longer no write is on its way, and nothing older is remembered
NEVER = "0193a1b2-c3d4-7001-8abc-0123456789ab"
MALFORMED = ["yesterday", "1", "0193a1b2-c3d4-7001-8abc-0123456789a", "0193a1b2-c3d4-7001-8abc-0123456789abc",
             "0193a1b2c3d470018abc0123456789ab", "0193a1b2-c3d4-4001-8abc-0123456789ab", "0193a1b2-c3d4-7001-cabc-0123456789ab",
             "0193a1b2-c3d4-7001-8abc-0123456789ag", "%220193a1b2-c3d4-7001-8abc-0123456789ab%22",
             "0193a1b2-c3d4-7001-8abc-0123456789ab/", "0193a1b2-c3d4-7001-8abc-0123456789ab/x", ""]


def ask(client, version, key):
    return client.request("GET", operation_path(version, key))


def applied(client, response, key, effect):
    """The operation of an answered write is applied, under the version that was answered."""
    version = version_of(response)
    body = assert_operation(ask(client, version, key), version, key, "applied")
    assert (body["version"], body["effect"]) == (version, effect)


def invented(seconds):
    """A version that no write has, stamped `seconds` from now."""
    text = f"{int((time.time() + seconds) * 1000):012x}"
    return f"{text[:8]}-{text[8:]}-7000-{'8' + uuid.uuid4().hex[:3]}-{uuid.uuid4().hex[:12]}"


class TestApplied:
    def test_created_replaced_deleted_and_nothing_to_delete(self, client, key):
        writes = [(client.put(key, b"x"), "created"), (client.put_json(key, "y"), "replaced"), (client.delete(key), "deleted"),
                  (client.delete(key), "nothing-to-delete"), (client.put(key, b"z"), "created")]
        assert [response.status for response, _ in writes] == [201, 200, 204, 404, 201]
        for response, effect in writes:  # all are remembered, not the last one only
            applied(client, response, key, effect)

    def test_conditional_writes(self, client, key):
        created = client.put(key, b"x", {"If-None-Match": "*"})
        applied(client, created, key, "created")
        applied(client, client.put(key, b"y", {"If-Match": created.header("ETag")}), key, "replaced")
        applied(client, client.delete(key, {"If-Match": "*"}), key, "deleted")

    def test_repetition_of_an_idempotent_write_is_the_same_operation(self, client, key):
        name = {"Idempotency-Key": f"op-{uuid.uuid4()}"}
        first = client.put(key, b"x", name)
        newer = client.put(key, b"newer")
        again = client.put(key, b"x", name)
        assert version_of(again) == version_of(first)
        applied(client, again, key, "created")
        applied(client, newer, key, "replaced")

    def test_an_expired_write_was_applied(self, client, key):
        stored = client.put(key, b"x", {"Armazem-TTL": "1"})
        until(lambda: client.get(key).status == 404, 10, "the key expires")
        applied(client, stored, key, "created")

    def test_another_key_knows_nothing_of_it(self, client, key):
        version = version_of(client.put(key, b"x"))
        assert_operation(ask(client, version, key + "-other"), version, key + "-other", "pending")

    def test_after_a_restart(self, start_server, make_client, key):
        server = start_server()
        client = make_client(server)
        created, deleted = client.put(key, b"x"), client.delete(key)
        client.close()
        server.kill()
        server.restart()
        client = make_client(server)
        applied(client, created, key, "created")
        applied(client, deleted, key, "deleted")


class TestNotApplied:
    def test_superseded(self, client, key):
        """A client's own writes are stamped again when they come too late, so none of them ends like this without a queue. But the
        version of a write to another key is one that this key's history excludes: older than its record, and not in it."""
        version = version_of(client.put(key + "-other", b"x"))
        # With several servers, each with its clock, the next write may be stamped a little lower.
        until(lambda: version_of(client.put(key, b"x")) > version, 10, "a newer write")
        assert_operation(ask(client, version, key), version, key, "superseded")

    def test_young_and_newer_than_the_record_is_pending(self, client, key):
        client.put(key, b"x")
        version = invented(5)
        assert_operation(ask(client, version, key), version, key, "pending")

    def test_young_and_nothing_stored_is_pending(self, client, key):
        version = invented(0)
        assert_operation(ask(client, version, key), version, key, "pending")

    @pytest.mark.parametrize("stored", [False, True])
    def test_old_is_unknown(self, client, key, stored):
        """Nothing is on its way for so long; and what such an old key has forgotten, if anything, nobody can say."""
        if stored:
            client.put(key, b"x")
        for version in (NEVER, invented(-RETENTION_SECONDS - 3600)):
            assert_operation(ask(client, version, key), version, key, "unknown")

    def test_older_than_a_full_history_is_unknown(self, client, key):
        """The write was applied, but the record has forgotten it: then it must not say that it was not."""
        forgotten = version_of(client.put(key, b"first"))
        for number in range(HISTORY_OF_A_HOT_KEY):
            last = client.put(key, b"%d" % number)
        assert_operation(ask(client, forgotten, key), forgotten, key, "unknown")
        applied(client, last, key, "replaced")

    @pytest.mark.parametrize("count", [HISTORY, 60])
    def test_the_last_eight_and_those_of_the_last_seconds_are_remembered(self, client, key, count):
        writes = [client.put(key, b"%d" % number) for number in range(count)]
        for number, response in enumerate(writes):
            applied(client, response, key, "replaced" if number else "created")

    def test_asking_writes_nothing(self, server, client, key):
        with nothing_stored(server, key):
            ask(client, invented(0), key)


class TestRequest:
    @pytest.mark.parametrize("awkward", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS.keys())
    def test_awkward_keys(self, client, awkward):
        """In a query nobody rewrites slashes and dots: each key can be asked for, also those that no proxy lets through in a path."""
        stored = client.put_json(awkward, "x")
        assert stored.status in (200, 201), repr(stored)
        applied(client, stored, awkward, "created" if stored.status == 201 else "replaced")
        assert client.put_json(awkward, "x", ttl=1).status == 200, "gone again, without its path"

    def test_reserved_characters_may_stand_as_they_are(self, client, key):
        """Only `%`, `&` and `#` must be encoded; a plus is a plus."""
        awkward = f"{key}/a//b:@!$'()*,;=?+.~"
        stored = client.put_json(awkward, "x")
        version = version_of(stored)
        response = client.request("GET", f"/operations/{version}?key={awkward}")
        assert_operation(response, version, awkward, "applied")

    def test_upper_case_is_the_same_version(self, client, key):
        version = version_of(client.put(key, b"x"))
        assert_operation(ask(client, version.upper(), key), version, key, "applied")

    @pytest.mark.parametrize("version", MALFORMED)
    def test_malformed_version(self, client, key, version):
        assert_problem(ask(client, version, key), 400, "version-invalid")

    @pytest.mark.parametrize("query", ["", "?", "?key", "?Key=k", "?k=key", "?raw", "?key=k&key=k", "?key=k&raw", "?raw&key=k", "?key=k&",
                                       "?&key=k", "?verbose"])
    def test_missing_doubled_or_other_query(self, client, query):
        assert_problem(client.request("GET", f"/operations/{NEVER}{query}"), 400, "query-invalid")

    @pytest.mark.parametrize("encoded, members", [
        ("", {}), ("a%00b", {}), ("%FF", {}), ("%C0%80", {}), ("%ED%A0%80", {}), ("a" * 1025, {"limit": 1024, "size": 1025}),
        ("%C3%A9" * 513, {"limit": 1024, "size": 1026}),
    ], ids=["empty", "nul", "no-utf-8", "overlong", "surrogate", "too-long", "too-long-in-bytes-only"])
    def test_bad_key(self, client, encoded, members):
        problem = assert_problem(client.request("GET", f"/operations/{NEVER}?key={encoded}"), 400, "key-invalid")
        assert {name: problem[name] for name in members} == members

    @pytest.mark.parametrize("encoded", ["%", "100%", "%zz", "%4", "a%2"])
    def test_bad_percent_encoding(self, client, encoded):
        assert_problem(client.request("GET", f"/operations/{NEVER}?key={encoded}"), 400, "percent-encoding-invalid")

    def test_head_is_get_without_body(self, client, key):
        version = version_of(client.put(key, b"x"))
        for path in (operation_path(version, key), operation_path(invented(0), key)):
            got, head = client.request("GET", path), client.request("HEAD", path)
            assert head.status == 200 and head.body == b""
            for name in ("Content-Type", "Content-Length", "Cache-Control", "Retry-After"):
                assert head.header(name) == got.header(name)
        assert client.request("HEAD", f"/operations/yesterday?key={key}").status == 400

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
    def test_other_methods(self, client, key, method):
        response = client.request(method, operation_path(NEVER, key), body=b"x")
        problem = assert_problem(response, 405, "method-not-allowed")
        assert response.header("Allow") == problem["allow"] == "GET, HEAD, OPTIONS"

    def test_options(self, client):
        response = client.request("OPTIONS", f"/operations/{NEVER}")
        assert response.status == 204 and response.header("Allow") == "GET, HEAD, OPTIONS"

    def test_request_id_comes_back(self, client, key):
        response = client.request("GET", operation_path(NEVER, key), {"X-Request-Id": "asked-1"})
        assert response.header("X-Request-Id") == "asked-1"

