"""Accept-Encoding: gzip on values and lists: the same content, another tag, and tags that mean their version."""
import gzip
import json

from support.checks import version_of

GZIP = {"Accept-Encoding": "gzip"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
LONG = ("Olá, armazém. " * 500).encode()


def test_both_forms(client, key):
    version = version_of(client.put(key, LONG, TEXT))
    for query, plain in (("", json.dumps({"value": LONG.decode()}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"), ("?raw", LONG)):
        got = client.get(key, GZIP, query)
        assert got.status == 200 and got.header("Content-Encoding") == "gzip"
        assert gzip.decompress(got.body) == plain == client.get(key, query=query).body
        assert got.header("ETag") == f'"{version}-gzip"'
        assert got.header("Vary") == "Accept, Accept-Encoding"
        head = client.head(key, GZIP, query)
        assert (head.header("Content-Length"), head.header("ETag")) == (str(len(got.body)), got.header("ETag"))


def test_only_where_it_helps(client, key):
    for name, body, kind in (("short", b"x" * 1000, "text/plain"), ("picture", b"x" * 5000, "image/png"),
                             ("long", b"x" * 200_000, "text/plain")):
        client.put(f"{key}-{name}", body, {"Content-Type": kind})
        got = client.get(f"{key}-{name}", GZIP, "?raw")
        assert got.header("Content-Encoding") is None and got.body == body, name
    client.put(key, LONG, TEXT)
    assert client.get(key, {"Accept-Encoding": "gzip;q=0, br"}).header("Content-Encoding") is None
    part = client.get(key, {**GZIP, "Range": "bytes=0-1999"}, "?raw")
    assert (part.status, part.body, part.header("Content-Encoding")) == (206, LONG[:2000], None)


def test_the_tag_means_the_version_everywhere(client, key):
    client.put(key, LONG, TEXT)
    tag = client.get(key, GZIP).header("ETag")
    assert client.get(key, {**GZIP, "If-None-Match": tag}).status == 304
    assert client.get(key, {"Armazem-Min-Version": tag.strip('"')}).status == 200
    assert client.put(key, LONG + b"!", {**TEXT, "If-Match": tag}).status == 200
    assert client.put(key, LONG, {**TEXT, "If-Match": tag}).status == 412
    assert client.get(key, {"If-None-Match": tag}).status == 200
    tag = client.get(key, GZIP).header("ETag")
    body = json.dumps({"operations": [{"op": "delete", "key": key, "if_match": tag}]}).encode()
    response = client.request("POST", "/batch", {"Content-Type": "application/json"}, body)
    assert response.json()["results"][0]["status"] == 204


def test_a_page_of_a_list(client, key):
    for n in range(30):
        client.put(f"{key}/{n}", b"x" * 50, TEXT)
    got = client.request("GET", f"/store?prefix={key}/", GZIP)
    assert got.header("Content-Encoding") == "gzip"
    assert json.loads(gzip.decompress(got.body)) == client.request("GET", f"/store?prefix={key}/").json()
