"""Idempotency-Key: a repeated write is applied once and answered as the first time."""
import threading
import uuid

import pytest

from support.checks import assert_problem, nothing_stored, version_of
from support.client import Client

AT_ONCE = 16


@pytest.fixture
def name():
    return {"Idempotency-Key": f"op-{uuid.uuid4()}"}


def put_raw(client, key, text, headers):
    return client.put(key, text.encode(), headers)


def put_json(client, key, text, headers):
    return client.put_json(key, text, headers)


FORMS = pytest.mark.parametrize("put", [put_raw, put_json])


def assert_replayed(first, again):
    assert again.status == first.status, f"{again!r} after {first!r}"
    assert version_of(again) == version_of(first)
    assert again.header("ETag") == first.header("ETag")


@FORMS
def test_put_is_answered_as_the_first_time(client, key, name, put):
    first = put(client, key, "x", name)
    assert first.status == 201
    for _ in range(3):
        assert_replayed(first, put(client, key, "x", name))
    assert client.get(key).header("ETag") == first.header("ETag")


@FORMS
def test_replacing_put_is_answered_as_the_first_time(client, key, name, put):
    put(client, key, "before", {})
    first = put(client, key, "x", name)
    assert first.status == 200
    assert_replayed(first, put(client, key, "x", name))


@FORMS
def test_late_repetition_does_not_undo_a_newer_write(client, key, name, put):
    first = put(client, key, "first", name)
    newer = put(client, key, "newer", {})
    assert_replayed(first, put(client, key, "first", name))
    got = client.get_raw(key)
    assert got.body == b"newer" and got.header("ETag") == newer.header("ETag")


@FORMS
def test_late_repetition_does_not_bring_a_deleted_key_back(client, key, name, put):
    first = put(client, key, "first", name)
    client.delete(key)
    assert_replayed(first, put(client, key, "first", name))
    assert client.get(key).status == 404


def test_delete_is_answered_as_the_first_time(client, key, name):
    client.put(key, b"x")
    first = client.delete(key, name)
    assert first.status == 204
    assert_replayed(first, client.delete(key, name))
    client.put(key, b"again")
    assert_replayed(first, client.delete(key, name))
    assert client.get_raw(key).body == b"again"


def test_delete_of_nothing_is_answered_as_the_first_time(client, key, name):
    first = client.delete(key, name)
    assert first.status == 404
    client.put(key, b"x")
    assert_replayed(first, client.delete(key, name))
    assert client.get_raw(key).body == b"x"


def test_create_only_is_answered_201_again(client, key, name):
    """The lost answer of a successful create must not turn into a 412 when asked again."""
    headers = {**name, "If-None-Match": "*"}
    first = client.put(key, b"x", headers)
    assert first.status == 201
    assert_replayed(first, client.put(key, b"x", headers))


def test_compare_and_set_is_answered_200_again(client, key, name):
    version = version_of(client.put(key, b"x"))
    headers = {**name, "If-Match": f'"{version}"'}
    first = client.put(key, b"y", headers)
    assert first.status == 200
    assert_replayed(first, client.put(key, b"y", headers))


@pytest.mark.parametrize("other", [
    lambda client, key, name: client.put(key, b"other body", name),
    lambda client, key, name: client.put(key, b"", name),
    lambda client, key, name: client.put(key, b"x", {**name, "Content-Type": "text/plain"}),
    lambda client, key, name: client.put(key, b"x", {**name, "Armazem-TTL": "600"}),
], ids=["body", "empty-body", "content-type", "ttl"])
def test_another_content_is_another_operation(client, key, name, other):
    first = client.put(key, b"x", name)
    second = other(client, key, name)
    assert second.status == 200
    assert version_of(second) > version_of(first)
    assert client.get(key).header("ETag") == second.header("ETag")


def test_another_key_or_method_is_another_operation(client, key, name):
    first = client.put(key, b"x", name)
    other_key = client.put(key + "-other", b"x", name)
    assert other_key.status == 201 and version_of(other_key) != version_of(first)
    deleted = client.delete(key, name)
    assert deleted.status == 204 and version_of(deleted) > version_of(first)


def test_another_idempotency_key_is_another_operation(client, key, name):
    first = client.put(key, b"x", name)
    second = client.put(key, b"x", {"Idempotency-Key": "another"})
    assert second.status == 200 and version_of(second) > version_of(first)


def test_request_id_does_not_make_writes_one(client, key):
    headers = {"X-Request-Id": "the-same"}
    first = client.put(key, b"x", headers)
    second = client.put(key, b"x", headers)
    assert (first.status, second.status) == (201, 200)


@FORMS
def test_the_same_operation_at_once_gives_one_version(server, client, key, name, put):
    barrier, answers = threading.Barrier(AT_ONCE), []

    def send():
        mine = Client(server.address)
        barrier.wait(10)
        answers.append(put(mine, key, "x", name))
        mine.close()

    threads = [threading.Thread(target=send) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [201] * AT_ONCE
    assert len({version_of(answer) for answer in answers}) == 1
    assert client.get(key).header("ETag") == answers[0].header("ETag")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_answered_as_the_first_time_after_a_restart(start_server, make_client, key, name, end):
    server = start_server()
    client = make_client(server)
    first = client.put(key, b"x", name)
    client.put(key + "-deleted", b"x")
    deleted = client.delete(key + "-deleted", name)
    client.close()
    getattr(server, end)()
    server.restart()
    client = make_client(server)
    assert_replayed(first, client.put(key, b"x", name))
    assert_replayed(deleted, client.delete(key + "-deleted", name))
    assert client.get(key).header("ETag") == first.header("ETag")


@pytest.mark.parametrize("text", ["a", "~", "!", '"quoted"', "a" * 255, "".join(map(chr, range(0x21, 0x7f)))], ids=range(6))
def test_allowed_keys(client, key, text):
    first = client.put(key, b"x", {"Idempotency-Key": text})
    assert first.status == 201
    assert_replayed(first, client.put(key, b"x", {"Idempotency-Key": text}))


@pytest.mark.parametrize("text", ["", "a" * 256, "a b", "a\tb", "é", "🏬", b"\xff"], ids=range(7))
@pytest.mark.parametrize("method", ["PUT", "PUT-json", "DELETE"])
def test_bad_keys(server, client, key, text, method):
    headers = {"Idempotency-Key": text}
    with nothing_stored(server, key):
        if method == "PUT":
            response = client.put(key, b"x", headers)
        elif method == "PUT-json":
            response = client.put_json(key, "x", headers)
        else:
            response = client.delete(key, headers)
        assert_problem(response, 400, "idempotency-key-invalid")
