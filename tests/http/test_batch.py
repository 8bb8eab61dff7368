"""POST /batch: each operation with a result of its own, in the order of the request; not atomic."""
import base64
import json
import time
import uuid

import pytest

from support.checks import assert_problem, assert_version, nothing_stored, version_ahead, version_of

JSON = {"Content-Type": "application/json"}
# On a cluster as patient as one may be, so that no write is answered with 202.
PATIENT = {**JSON, "Prefer": "wait=30"}


def send(client, operations, headers=PATIENT):
    return client.request("POST", "/batch", headers, json.dumps({"operations": operations}).encode())


def batch(client, *operations, headers=PATIENT):
    response = send(client, operations, headers)
    assert response.status == 200, repr(response)
    assert response.header("Content-Type") == "application/json"
    results = response.json()["results"]
    assert [result["key"] for result in results] == [operation["key"] for operation in operations]
    return results


def statuses(results):
    return [result["status"] for result in results]


def slug(result):
    problem = result["problem"]
    assert problem["status"] == result["status"] and problem["request_id"]
    return problem["type"].removeprefix("urn:armazem:problem:")


def put(key, value, **more):
    return {"op": "put", "key": key, "value": value, **more}


def restore(key, version, value="restored", **more):
    return {"op": "restore", "key": key, "version": version, "value": value, **more}


def version_before(seconds, digit="1"):
    text = f"{int((time.time() - seconds) * 1000):012x}"
    return f"{text[:8]}-{text[8:]}-7000-8000-00000000000{digit}"


def test_every_kind(client, key):
    results = batch(client, {"op": "get", "key": key}, put(key, "one"), put(key, {"n": [1, 2.5]}), {"op": "delete", "key": key + "-no"},
                    put(key + "-b", "x", ttl=3600), {"op": "get", "key": key + "-no"})
    assert statuses(results) == [200, 201, 200, 404, 201, 404]
    got, created, replaced, nothing, expiring, absent = results
    assert got["value"] == {"n": [1, 2.5]}, "reads come after the writes of the batch"
    assert got["version"] == replaced["version"] > created["version"]
    assert (got["content_type"], got["size"]) == ("application/json", 13)
    assert (slug(nothing), slug(absent)) == ("not-found", "not-found")
    assert_version(nothing["version"])
    assert set(created) == {"status", "key", "version"}
    stored = client.get(key)
    assert stored.header("ETag") == f'"{replaced["version"]}"' and b'{"n":[1,2.5]}' in stored.body
    assert client.head(key + "-b").header("Armazem-Expires")


def test_values_are_kept_byte_for_byte(client, key):
    raw = bytes(range(256))
    results = batch(client, {"op": "put", "key": key, "value_base64": base64.b64encode(raw).decode(), "content_type": "image/x"},
                    {"op": "get", "key": key})
    assert statuses(results) == [201, 200]
    assert base64.b64decode(results[1]["value_base64"]) == raw
    got = client.get_raw(key)
    assert got.body == raw and got.header("Content-Type") == "image/x"


def test_conditions(client, key):
    first, = batch(client, put(key, 1, if_none_match="*"))
    results = batch(client, put(key, 2, if_none_match="*"), put(key, 2, if_match=first["version"]), put(key, 3, if_match=first["version"]),
                    put(key + "-no", 1, if_match="*"), {"op": "delete", "key": key, "if_match": "*"}, {"op": "get", "key": key})
    assert statuses(results) == [412, 200, 412, 412, 204, 404]
    assert results[0]["problem"]["current_etag"] == f'"{first["version"]}"'
    assert results[2]["problem"]["current_etag"] == f'"{results[1]["version"]}"'
    assert results[3]["problem"]["current_etag"] is None


def test_an_etag_is_a_condition_as_it_came(client, key):
    etag = client.put(key, b"x").header("ETag")
    assert statuses(batch(client, put(key, 1, if_match=etag), put(key, 1, if_match=etag))) == [200, 412]


def test_writes_of_a_key_keep_their_order(client, key):
    operations = [put(f"{key}-{n % 5}", n) for n in range(100)]
    results = batch(client, *operations)
    assert set(statuses(results)) == {200, 201}
    for last in range(95, 100):
        assert client.get(f"{key}-{last % 5}").json() == {"value": last}
    for one in range(5):
        versions = [result["version"] for result in results[one::5]]
        assert versions == sorted(versions)


def test_a_thousand_operations(client, key):
    results = batch(client, *(put(f"{key}/{n:04}", n) for n in range(1000)))
    assert set(statuses(results)) == {201}
    results = batch(client, *({"op": "get", "key": f"{key}/{n:04}"} for n in range(1000)))
    assert [result["value"] for result in results] == list(range(1000))
    assert set(statuses(batch(client, *({"op": "delete", "key": f"{key}/{n:04}"} for n in range(1000))))) == {204}


def test_too_many_operations(server, client, key):
    with nothing_stored(server, key):
        problem = assert_problem(send(client, [put(key, n) for n in range(1001)]), 413, "batch-too-large")
    assert problem["limit"] == 1000


def test_a_malformed_operation_is_named_and_nothing_is_done(server, client, key):
    with nothing_stored(server, key):
        problem = assert_problem(send(client, [put(key, 1), {"op": "get", "key": ""}]), 400, "key-invalid")
        assert problem["field"] == "operations[1].key" and problem["detail"].startswith("operations[1]: ")
        assert_problem(send(client, [put(key, 1), {"op": "get", "key": key, "x": 1}]), 400, "body-invalid")
        assert_problem(send(client, [put(key, 1), put(key, 1, ttl=0)]), 400, "ttl-invalid")
        assert_problem(send(client, [put(key, 1), put(key, 1, if_match="x")]), 400, "etag-invalid")
        assert_problem(send(client, [put(key, 1), restore(key, "x")]), 400, "version-invalid")
        assert_problem(send(client, [put(key, 1), put(key, "x" * (2**20 + 1))]), 413, "value-too-large")


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"operations":1}', b'{"operations":[1]}', b'{"operations":[]'])
def test_other_bodies(client, body):
    assert_problem(client.request("POST", "/batch", JSON, body), 400, "json-invalid", "body-invalid")


def test_headers_that_do_not_fit(client):
    assert_problem(send(client, [], {"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    assert_problem(send(client, [], {}), 415, "unsupported-media-type")
    assert_problem(send(client, [], {**JSON, "If-Match": "*"}), 400, "etag-invalid")
    assert_problem(send(client, [], {**JSON, "If-None-Match": "*"}), 400, "etag-invalid")
    assert_problem(send(client, [], {**JSON, "Armazem-TTL": "60"}), 400, "ttl-invalid")
    assert_problem(send(client, [], {**JSON, "Idempotency-Key": "a b"}), 400, "idempotency-key-invalid")


def test_repeated_with_the_same_idempotency_key(client, key):
    headers = {**PATIENT, "Idempotency-Key": uuid.uuid4().hex}
    operations = [put(key, 1), put(key, 1), {"op": "delete", "key": key + "-no"}]
    first = batch(client, *operations, headers=headers)
    again = batch(client, *operations, headers=headers)
    assert statuses(first) == [201, 200, 404] == statuses(again)
    assert [result["version"] for result in first] == [result["version"] for result in again]
    other = batch(client, *operations, headers={**PATIENT, "Idempotency-Key": uuid.uuid4().hex})
    assert other[0]["version"] > again[1]["version"]


def test_respond_async(client, key, queue):
    headers = {**JSON, "Prefer": "respond-async"}
    results = batch(client, put(key, 1), put(key + "-b", 1, if_none_match="*"), headers=headers)
    assert results[0]["status"] == (202 if queue else 201)
    assert slug(results[1]) == "respond-async-conditional"
    if queue:
        assert results[0]["operation"] == f"/operations/{results[0]['version']}?key={key}"
        assert client.request("GET", results[0]["operation"]).status == 200


class TestRestore:
    def test_the_version_comes_back(self, client, key):
        old = version_before(1_000_000)
        results = batch(client, restore(key, old, expires_at="2099-11-23T21:00:00.123Z"), {"op": "get", "key": key})
        assert (results[0]["status"], results[0]["outcome"], results[0]["version"]) == (201, "restored", old)
        assert (results[1]["value"], results[1]["version"], results[1]["expires_at"]) == ("restored", old, "2099-11-23T21:00:00.123Z")
        assert client.head(key).header("ETag") == f'"{old}"'
        again, = batch(client, restore(key, old))
        assert (again["status"], again["outcome"], again["version"]) == (201, "restored", old), "as the first time"
        assert version_of(client.put(key, b"newer")) > old

    def test_a_newer_value_stays(self, client, key):
        newest = version_of(client.put(key, b"newest"))
        result, = batch(client, restore(key, version_before(60)))
        assert (result["status"], result["outcome"], result["version"]) == (200, "superseded", newest)
        assert client.get_raw(key).body == b"newest"

    def test_a_deleted_key_stays_deleted(self, client, key):
        client.put(key, b"x")
        deleted = version_of(client.delete(key))
        result, = batch(client, restore(key, version_before(60)))
        assert (result["outcome"], result["version"]) == ("superseded", deleted)
        assert client.get(key).status == 404

    def test_an_older_value_is_replaced(self, client, key):
        assert batch(client, restore(key, version_before(100)))[0]["status"] == 201
        result, = batch(client, restore(key, version_before(50, "2"), value=[1]))
        assert (result["status"], result["outcome"]) == (200, "restored")
        assert client.get(key).json() == {"value": [1]}

    def test_not_from_the_future(self, client, key):
        results = batch(client, restore(key, version_ahead(3600)), put(key + "-b", 1))
        assert statuses(results) == [400, 201]
        assert slug(results[0]) == "version-too-far-ahead"
        assert client.get(key).status == 404


def test_a_value_of_the_largest_size(client, key):
    large = "x" * 2**20
    assert statuses(batch(client, put(key, large))) == [201]
    results = batch(client, *({"op": "get", "key": key} for _ in range(64)))
    assert results[0]["value"] == large
    assert slug(results[-1]) == "batch-too-large", "an answer has an end"


def test_a_body_over_the_limit(server, client, key):
    with nothing_stored(server, key):
        response = send(client, [put(key, "x" * 1_000_000) for _ in range(9)])
        assert assert_problem(response, 413, "value-too-large")["limit"] == 8 * 2**20
