"""The three levels of a read: default, Armazem-Min-Version, Cache-Control: no-cache. What each promises holds on one server
without a cache and on a cluster with one; that an answer may come from a cache is all that differs (Armazem-Source, Age).
Writes go through `client`, which waits until they are applied; reads through `plain_client`, which adds nothing."""
import threading
import time
import uuid

import pytest

from support.checks import assert_problem, version_ahead, version_of
from support.client import Client
from support.wait import until

CACHE_SECONDS = 60  # the longest that a cached answer may be behind
STRONG = ["no-cache", "No-Cache", "max-age=0", "no-cache, max-age=0", "no-transform, no-cache", "max-age=0,no-transform", " no-cache"]
DEFAULT = ["max-age=60", "max-age=00x", "only-if-cached", "no-store", "x-no-cache", "no-caches", "", "private"]
FRESH = {"Cache-Control": "no-cache"}


def at_least(version):
    return {"Armazem-Min-Version": version}


def assert_source(response, owned, strong=False):
    """`store`, or `cache` with its age; one server has no cache, and a strong read never comes from one."""
    source, age = response.header("Armazem-Source"), response.header("Age")
    if owned or strong:
        assert (source, age) == ("store", None), repr(response)
    elif source == "cache":
        assert age.isdecimal() and int(age) <= 2 * CACHE_SECONDS, repr(response)  # the time to live has jitter
    else:
        assert (source, age) == ("store", None), repr(response)


class TestStrong:
    @pytest.mark.parametrize("value", STRONG)
    def test_sees_every_answered_write(self, client, plain_client, server, key, value):
        for number in range(5):
            version = version_of(client.put(key, b"%d" % number))
            got = plain_client.get(key, {"Cache-Control": value}, "?raw")
            assert got.body == b"%d" % number and got.header("ETag") == f'"{version}"'
            assert_source(got, server.owned, strong=True)
        client.delete(key)
        absent = plain_client.get(key, {"Cache-Control": value})
        assert_problem(absent, 404, "not-found")
        assert_source(absent, server.owned, strong=True)

    def test_for_everybody(self, client, plain_client, server, make_client, key):
        """Not only for whoever has written: on a cluster the two are likely to speak to different servers."""
        reader = make_client(server, as_written=True)
        for number in range(20):
            version = version_of(client.put(key, b"%d" % number))
            assert reader.get(key, FRESH).header("ETag") == f'"{version}"'

    def test_never_goes_back_under_concurrent_writes(self, client, plain_client, server, key):
        """Linearizable, as far as two clients can tell: what one has seen or written, the other sees from then on."""
        newest, failures, reads, stop = [version_of(client.put(key, b"0"))], [], [0] * 3, threading.Event()

        def read(number):
            reader = Client(server.address, as_written=True)
            while not stop.is_set():
                known = newest[0]
                seen = (reader.get(key, FRESH).header("ETag") or "").strip('"')
                if seen < known:
                    failures.append((known, seen))
                reads[number] += 1
            reader.close()

        readers = [threading.Thread(target=read, args=(number,)) for number in range(len(reads))]
        for reader in readers:
            reader.start()
        for number in range(100):
            newest[0] = version_of(client.put(key, b"%d" % number))
        stop.set()
        for reader in readers:
            reader.join()
        assert not failures, f"older than an answered write: {failures}"
        assert all(reads), f"a reader has read nothing: {reads}"

    def test_repairs_what_the_default_level_sees(self, client, plain_client, server, key):
        """Once a strong read has answered, no default read is older: the cache is put right before the answer."""
        client.put(key, b"old")
        plain_client.get(key)
        version = version_of(client.put(key, b"new"))
        assert plain_client.get(key, FRESH).header("ETag") == f'"{version}"'
        seen = plain_client.get(key).header("ETag").strip('"')
        assert seen >= version

    def test_conditions_at_this_level(self, client, plain_client, key):
        tag = client.put(key, b"x").header("ETag")
        assert plain_client.get(key, {**FRESH, "If-None-Match": tag}).status == 304
        assert plain_client.get(key, {**FRESH, "If-Match": tag}).status == 200
        assert plain_client.get(key, {**FRESH, "If-Match": '"0193a1b2-c3d4-7001-8abc-0123456789ab"'}).status == 412

    def test_head(self, client, plain_client, server, key):
        version = version_of(client.put(key, b"x"))
        head = plain_client.head(key, FRESH)
        assert head.status == 200 and head.header("ETag") == f'"{version}"'
        assert_source(head, server.owned, strong=True)


class TestSession:
    def test_own_writes_are_seen_by_whoever_has_the_version(self, client, plain_client, server, make_client, key):
        other = make_client(server, as_written=True)
        for number in range(20):
            version = version_of(client.put(key, b"%d" % number))
            for reader in (plain_client, other):
                got = reader.get(key, at_least(version), "?raw")
                assert got.status == 200 and got.header("ETag").strip('"') >= version and got.body == b"%d" % number
                assert_source(got, server.owned)

    def test_own_delete_is_seen(self, client, plain_client, server, key):
        client.put(key, b"x")
        plain_client.get(key)  # on a cluster: now it is in the cache
        version = version_of(client.delete(key))
        absent = plain_client.get(key, at_least(version))
        assert_problem(absent, 404, "not-found")
        assert_source(absent, server.owned)

    def test_delete_of_nothing_too(self, client, plain_client, key):
        version = version_of(client.delete(key))
        assert_problem(plain_client.get(key, at_least(version)), 404, "not-found")

    def test_an_older_version_is_a_lower_bound_not_a_snapshot(self, client, plain_client, key):
        first = version_of(client.put(key, b"1"))
        second = version_of(client.put(key, b"2"))
        assert plain_client.get(key, at_least(second), "?raw").body == b"2"
        assert plain_client.get(key, at_least(first)).status == 200

    def test_reads_do_not_go_back(self, client, plain_client, key):
        """Monotonic reads: each read asks for what the one before has seen."""
        seen = version_of(client.put(key, b"0"))
        for number in range(20):
            client.put(key, b"%d" % number)
            got = plain_client.get(key, at_least(seen)).header("ETag").strip('"')
            assert got >= seen
            seen = got

    def test_together_with_no_cache(self, client, plain_client, server, key):
        version = version_of(client.put(key, b"x"))
        got = plain_client.get(key, {**FRESH, **at_least(version)})
        assert got.header("ETag") == f'"{version}"'
        assert_source(got, server.owned, strong=True)

    def test_a_version_that_is_not_this_keys(self, client, plain_client, own_server, key):
        """Versions of different keys say nothing about each other. Without a queue nothing is ever on its way, so every one counts
        as satisfied; on a cluster it would be waited for in vain, as in the next test."""
        version = version_of(client.put(key + "-other", b"x"))
        assert_problem(plain_client.get(key, at_least(version)), 404, "not-found")

    def test_a_version_that_never_comes(self, client, plain_client, server, key):
        """Answered by what is there, or after a moment by a 503; never by waiting for ever."""
        client.put(key, b"x")
        begun = time.monotonic()
        response = plain_client.get(key, at_least(version_ahead(0.2)))
        if server.owned:
            assert response.status == 200
        elif response.status != 200:
            assert_problem(response, 503, "not-yet-visible")
        assert time.monotonic() - begun < 15

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_malformed_and_too_far_ahead(self, plain_client, key, method):
        for version, slug in (("yesterday", "version-invalid"), (version_ahead(3600), "version-too-far-ahead")):
            response = plain_client.request(method, f"/store/{key}", at_least(version))
            assert response.status == 400
            if method == "GET":
                assert_problem(response, 400, slug)


class TestDefault:
    @pytest.mark.parametrize("value", DEFAULT)
    def test_other_words_ask_for_nothing(self, client, plain_client, server, key, value):
        client.put(key, b"x")
        got = plain_client.get(key, {"Cache-Control": value})
        assert got.status == 200
        assert_source(got, server.owned)

    @pytest.mark.parametrize("query", ["", "?raw"])
    def test_source_of_values_and_of_their_absence(self, client, plain_client, server, key, query):
        for _ in range(3):  # the first one may fill the cache
            assert_source(plain_client.get(key, query=query), server.owned)
        client.put(key, b"x")
        for method in ("GET", "HEAD"):
            for _ in range(3):
                got = plain_client.request(method, f"/store/{key}{query}")
                assert_source(got, server.owned)
        client.delete(key)
        for _ in range(3):
            assert_source(plain_client.get(key, query=query), server.owned)

    def test_without_a_cache_it_sees_every_answered_write(self, own_server, client, plain_client, key):
        for number in range(20):
            version = version_of(client.put(key, b"%d" % number))
            assert plain_client.get(key).header("ETag") == f'"{version}"'

    def test_catches_up(self, client, plain_client, key):
        """Never behind for longer than the cache's time to live, in practice at once."""
        client.put(key, b"old")
        plain_client.get(key)
        version = version_of(client.put(key, b"new"))
        until(lambda: plain_client.get(key).header("ETag").strip('"') >= version, CACHE_SECONDS + 5, "the default level sees the write")
        version = version_of(client.delete(key))
        until(lambda: plain_client.get(key).status == 404, CACHE_SECONDS + 5, "the default level sees the delete")

    def test_never_shows_what_was_never_written(self, client, plain_client, key):
        """However old: value, version and type always belong together."""
        written = {}
        for number in range(30):
            body = uuid.uuid4().hex.encode()
            put = client.put(key, body, {"Content-Type": f"text/x-{number}"})
            written[put.header("ETag")] = (body, f"text/x-{number}")
            got = plain_client.get_raw(key)
            assert written[got.header("ETag")] == (got.body, got.header("Content-Type"))

    def test_expired_is_expired_in_the_cache_too(self, client, plain_client, key):
        client.put(key, b"x", {"Armazem-TTL": "1"})
        plain_client.get(key)
        until(lambda: plain_client.get(key).status == 404, 10, "the cached value expires with the stored one")
        assert_problem(plain_client.get(key, FRESH), 404, "not-found")

    def test_conditions_at_this_level(self, client, plain_client, key):
        tag = client.put(key, b"x").header("ETag")
        for _ in range(2):  # on a cluster: from the store, from the cache
            current = plain_client.get(key, at_least(tag.strip('"'))).header("ETag")
            assert current == tag
            assert plain_client.get(key, {"If-None-Match": tag}).status == 304
            assert plain_client.get(key, {"If-Match": tag}).status == 200
