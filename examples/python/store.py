#!/usr/bin/env python3
"""Armazém from Python, with the standard library alone."""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

BASE = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8000"


def request(method, path, body=None, **headers):
    """The answer, errors too: their status and problem details are worth as much as a value."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = urllib.request.Request(BASE + path, data=body, method=method, headers=fields)
    try:
        return urllib.request.urlopen(asked, timeout=30)
    except urllib.error.HTTPError as answer:
        return answer


def path_of(key):
    return "/store/" + urllib.parse.quote(key, safe="")


def events(answer):
    """Server-sent events as (kind, id, data)."""
    kind = event_id = data = None
    for line in answer:
        name, _, value = line.decode("utf-8").rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "id":
            event_id = value
        elif name == "data":
            data = json.loads(value)
        elif not name and kind:
            yield kind, event_id, data
            kind = event_id = data = None


def main():
    # A watch that is opened first sees all that follows.
    watch = request("GET", "/watch?prefix=" + urllib.parse.quote("example/python/", safe=""))

    put = request("PUT", path_of("example/python/greeting"), "Olá".encode("utf-8"), Content_Type="text/plain; charset=utf-8")
    print("put:", put.status, json.load(put)["key"])

    got = request("GET", path_of("example/python/greeting"))
    print("get:", json.load(got)["value"])

    # Only over the version that was read: nobody else's change is lost.
    changed = request("PUT", path_of("example/python/greeting"), b"Bom dia", Content_Type="text/plain", If_Match=got.headers["ETag"])
    print("changed:", changed.status)
    late = request("PUT", path_of("example/python/greeting"), b"too late", Content_Type="text/plain", If_Match=got.headers["ETag"])
    print("too late:", late.status, json.load(late)["type"])

    operations = [{"op": "put", "key": f"example/python/{number}", "value": {"number": number}} for number in range(3)]
    batch = request("POST", "/batch", json.dumps({"operations": operations}).encode(), Content_Type="application/json")
    print("batch:", [result["status"] for result in json.load(batch)["results"]])

    after = ""
    while after is not None:
        page = json.load(request("GET", "/store?prefix=example/python/&limit=2&keys_only=true" + after))
        print("page:", [entry["key"] for entry in page["entries"]])
        after = "&after=" + page["next"] if "next" in page else None

    print("delete:", request("DELETE", path_of("example/python/greeting")).status)

    for kind, _, data in events(watch):
        print("event:", kind, data["key"])
        if kind == "delete":
            break


if __name__ == "__main__":
    main()
