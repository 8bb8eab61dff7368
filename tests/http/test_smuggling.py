r"""The smuggling corpus: requests on whose length two hops could disagree (RFC 9112, section 11.2).

A file of smuggling/ begins with header lines, then comes the request:
    # why: what is wrong with it
    # expect: <status> <slug> [| <status> <slug>]…    the one answer; the slug is '-' when it is no problem
    # then: closed | open                             the connection afterwards
Line ends of the file mean nothing; every byte is written out: \r \n \t \0 \\ \" \xHH. Placeholders: {key}, {host},
{smuggled} (a key that must not exist afterwards), {inner_length} and {inner_length_hex} (of the request from
'PUT /store/{smuggled}' to its 'x').
"""
import codecs
import uuid
from pathlib import Path

import pytest

from support.checks import assert_problem, assert_usable, nothing_stored
from support.http_raw import RawConnection

pytestmark = pytest.mark.edge

CORPUS = sorted((Path(__file__).parent / "smuggling").glob("*.http"))
INNER = "PUT /store/{smuggled} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n\r\nx"


def load(path):
    directives, lines = {}, []
    for line in path.read_text(encoding="ascii").split("\n"):
        if line.startswith("# "):
            name, value = line[2:].split(": ", 1)
            directives[name] = value
        else:
            lines.append(line)
    assert set(directives) == {"why", "expect", "then"} and directives["then"] in ("closed", "open"), path
    expected = [tuple(choice.split()) for choice in directives["expect"].split(" | ")]
    text = codecs.decode("".join(lines), "unicode_escape")
    return expected, directives["then"], text


def fill(text, names):
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def test_the_corpus_is_there():
    assert len(CORPUS) >= 80
    assert len({path.read_text() for path in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_smuggling(server, client, path):
    expected, then, text = load(path)
    names = {"key": f"s-{uuid.uuid4().hex}", "smuggled": f"smuggled-{uuid.uuid4().hex}", "host": "armazem.test"}
    length = len(fill(INNER, names))
    data = fill(text, {**names, "inner_length": str(length), "inner_length_hex": f"{length:x}"}).encode("latin-1")

    if then == "closed":
        with nothing_stored(server, names["key"], names["smuggled"]):
            exchange(server, data, expected, then)
    else:
        exchange(server, data, expected, then)
        assert client.get(names["smuggled"]).status == 404
        stored = client.get(names["key"]).status
        assert stored == (200 if expected[0][0] == "201" else 404)


def exchange(server, data, expected, then):
    with RawConnection(server.address) as connection:
        connection.send(data)
        response = connection.read()
        choices = dict(expected)
        assert str(response.status) in choices, f"{response!r} instead of {expected}"
        slug = choices[str(response.status)]
        if slug != "-":
            assert_problem(response, response.status, slug)
        if then == "closed":
            # Not one more answer: the rest of the bytes must not be taken for a request.
            assert connection.closed_by_server()
        else:
            assert_usable(connection)
