"""The executable examples of openapi.json, `x-armazem-examples`: how they are written, sent and compared.

An example is {name, needs?, setup?: [request], request, response}.
- needs: `queue` or `no queue`: it only happens on a server that has, or has not, a queue for its writes.
- request: {method, path, headers?, body?, body_base64?, save?}. A body that is no string is sent as JSON. `save` of a
  setup request, {name: header}, keeps a header of its answer under a name.
- response: {status, headers?, body?}. A header that is null must be absent. A body that is an object is a subset of
  the answer's JSON: other members may be there. A body that is a string is the whole text.
- A request with `"stream": true` is read up to the events in `response.events`, in order, each {event, data}; between the
  begin of its answer and the first of them the requests of `meanwhile` are sent.
- In any string: `${name}` is what was saved, `${a*1025}` is an 'a' 1025 times.
- In an expected string: `${any-version}` and `${any-etag}` stand for any such, `${any-source}` for `store` and, on a cluster
  (ARMAZEM_URL), `cache`; and `/^…$/` is a regular expression.
"""
import base64
import json
import os
import re

from support.http_raw import RawConnection, Response, request_bytes
from support.watching import EventStream

VERSION = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
PATTERNS = {"${any-version}": f"^{VERSION}$", "${any-etag}": f'^"{VERSION}"$',
            "${any-source}": "^(store|cache)$" if os.environ.get("ARMAZEM_URL") else "^store$"}
VARIABLE = re.compile(r"\$\{(?:(?P<char>.)\*(?P<count>[0-9]+)|(?P<name>[a-z]+))\}")


def run(example, address):
    """Sends the setup and the request, each on a connection of its own; fails unless the answer is the expected one."""
    saved = {}
    for step in example.get("setup", []):
        answer = _send(step, address, saved)
        assert answer.status < 500, f"setup {step['method']} {step['path']} failed: {answer!r}"
        for name, header in step.get("save", {}).items():
            saved[name] = answer.header(header)
            assert saved[name], f"setup {step['method']} {step['path']} gave no {header}: {answer!r}"
    if example["request"].get("stream"):
        return _follow(example, address, saved)
    answer = _send(example["request"], address, saved)
    compare(answer, _expand(example["response"], saved))
    return answer


def _follow(example, address, saved):
    """A stream has no end, so its answer is made of what was expected of it."""
    request = _expand(example["request"], saved)
    path, _, query = request["path"].partition("?")
    assert path == "/watch"
    stream = EventStream(address, query, request.get("headers", {}))
    try:
        for step in example.get("meanwhile", []):
            answer = _send(step, address, saved)
            assert answer.status < 400, f"{step['method']} {step['path']} failed: {answer!r}"
        for expected in _expand(example["response"], saved)["events"]:
            event = stream.next()
            assert event.kind == expected["event"] and matches(event.data, expected["data"]), f"{event!r} instead of {expected}"
    finally:
        stream.close()
    head = stream.head.split("\r\n")
    answer = Response(stream.status, "OK", [tuple(line.split(": ", 1)) for line in head[1:] if line])
    compare(answer, {name: value for name, value in example["response"].items() if name != "events"})
    return answer


def _send(request, address, saved):
    request = _expand(request, saved)
    data = request_bytes(request["method"], request["path"], request.get("headers", {}), _body(request))
    with RawConnection(address) as connection:
        return connection.exchange(data, request["method"])


def _body(request):
    if "body_base64" in request:
        return base64.b64decode(request["body_base64"])
    body = request.get("body")
    if body is None or isinstance(body, str):
        return body if body is None else body.encode("utf-8")
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def _expand(node, saved):
    if isinstance(node, dict):
        return {name: _expand(value, saved) for name, value in node.items()}
    if isinstance(node, list):
        return [_expand(value, saved) for value in node]
    if isinstance(node, str) and node not in PATTERNS:
        return VARIABLE.sub(lambda m: m["char"] * int(m["count"]) if m["char"] else saved[m["name"]], node)
    return node


def compare(answer, expected):
    assert answer.status == expected["status"], repr(answer)
    for name, value in expected.get("headers", {}).items():
        found = answer.header(name)
        assert matches(found, value), f"{name}: {found!r} instead of {value!r} in {answer!r}"
    if "body" in expected:
        body = expected["body"]
        found = answer.body.decode("utf-8") if isinstance(body, str) else answer.json()
        assert matches(found, body), f"body {found!r} instead of {body!r}"


def matches(found, expected):
    """Whether `found` is what an example expects: see the top of the file."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and matches(found[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return (isinstance(found, list) and len(found) == len(expected)
                and all(matches(*pair) for pair in zip(found, expected)))
    if isinstance(expected, str):
        pattern = PATTERNS.get(expected) or _pattern(expected)
        if pattern:
            return isinstance(found, str) and re.search(pattern, found) is not None
    return type(found) is type(expected) and found == expected


def _pattern(expected):
    return expected[1:-1] if expected.startswith("/^") and expected.endswith("$/") else None
