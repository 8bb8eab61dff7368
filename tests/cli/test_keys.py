"""armazem get, put and delete: bytes in and out as they are, exit codes that scripts can use, errors that say what to do."""
import json
import os
import pty
import signal

import pytest

from support.commands import finish, read_terminal, start, url_of
from support.server import run_to_exit

AWKWARD_KEYS = ["a/b//c/", "..", "a/../b", "./x", "/", "%2F", "a?b#c&d=e", "ação 😀", "two\nlines\t", "+", "-dash", "a\\b\"c'd", "é" * 512]
ALL_BYTES = bytes(range(256)) * 3


@pytest.fixture
def terminal_of(server):
    """What a command shows on a terminal (standard output and standard error in one), and its exit code."""
    def go(*args, env=None):
        ours, theirs = pty.openpty()
        try:
            process = start(*args, "--url", url_of(server), stdout=theirs, stderr=theirs, env={"TERM": "xterm", **(env or {})})
            os.close(theirs)
            shown = read_terminal(ours)
            return process.wait(), shown
        finally:
            os.close(ours)
    return go


def test_bytes_come_back_as_they_went_in(ask, key, tmp_path):
    stored = tmp_path / "in"
    stored.write_bytes(ALL_BYTES)
    assert ask("put", key, "--file", stored, "--content-type", "image/png").code == 0
    assert ask("get", key).out == ALL_BYTES
    assert ask("get", key, "--output", tmp_path / "out").out == b""
    assert (tmp_path / "out").read_bytes() == ALL_BYTES
    answer = json.loads(ask("get", key, "--json").out)
    assert answer["content_type"] == "image/png" and answer["size"] == len(ALL_BYTES) and "value_base64" in answer


def test_a_pipe_in_and_a_pipe_out(ask, key):
    big = os.urandom(700_000)
    assert ask("put", key, "-", given=big).code == 0
    assert ask("get", key).out == big
    assert ask("put", key, "-", given=b"").code == 0
    assert ask("get", key).out == b""


@pytest.mark.parametrize("awkward", AWKWARD_KEYS)
def test_any_key_works(ask, make_client, server, key, awkward):
    name = awkward if len(awkward.encode()) > 900 else f"{awkward}{key}{awkward}"
    done = ask("put", "--", name, "v")
    assert done.code == 0, done
    written = make_client(server).put_json(name, "by the body")
    assert written.status == 200, "the same key, without a path"
    assert ask("get", "--", name).out == b"by the body"
    assert ask("delete", "--", name).code == 0
    assert ask("get", "--", name).code == 1


def test_values_on_the_command_line(ask, key):
    for value in ["", "plain", "Olá 😀", "-", "--json", "a\nb"]:
        arguments = ["put", "--", key, value] if value != "-" else ["put", key, "-"]
        assert ask(*arguments, given=b"-" if value == "-" else None).code == 0
        assert ask("get", key).out == value.encode()
    answer = json.loads(ask("get", key, "--json").out)
    assert answer["content_type"] == "text/plain; charset=utf-8" and answer["value"] == "a\nb"


def test_json_keeps_every_digit(ask, key):
    text = b'{"price":10.50,"big":123456789012345678901234567890}'
    ask("put", key, text, "--content-type", "application/json")
    out = ask("get", key, "--json").out
    assert b'"value":' + text in out and json.loads(out)["key"] == key


def test_the_version_is_what_conditions_take(ask, key):
    first = ask("put", key, "1").out.decode().strip()
    assert json.loads(ask("get", key, "--json").out)["version"] == first
    assert ask("get", key, "--if-none-match", first).code == 5
    assert ask("get", key, "--min-version", first, "--strong").out == b"1"
    second = ask("put", key, "2", "--if-match", first).out.decode().strip()
    refused = ask("put", key, "3", "--if-match", first)
    assert refused.code == 5 and b"412 precondition-failed" in refused.err and second.encode() in refused.err
    assert ask("put", key, "3", "--create-only").code == 5
    assert ask("put", key, "3", "--if-none-match", "*").code == 5
    assert ask("delete", key, "--if-match", first).code == 5
    assert ask("delete", key, "--if-match", f'"{second}"').code == 0
    assert ask("put", key, "4", "--create-only").code == 0


def test_time_to_live(ask, key):
    ask("put", key, "v", "--ttl", "1h")
    assert "expires_at" in json.loads(ask("get", key, "--json").out)
    for wrong in ["1500ms", "10", "0s"]:
        assert ask("put", key, "v", "--ttl", wrong).code == 2


def test_exit_codes_and_words(ask, run, key, start_server):
    missing = ask("get", key)
    assert missing.code == 1 and not missing.out and b"404 not-found, request " in missing.err, missing
    assert ask("delete", key).code == 1
    small = start_server("--value-max", "1KiB")
    refused = run("put", key, "x" * 2000, "--url", url_of(small))
    assert refused.code == 3 and "413 value-too-large" in refused.err, refused
    nobody = run("get", key, "--url", "http://127.0.0.1:1")
    assert nobody.code == 4 and "Connection refused" in nobody.err and "ARMAZEM_URL" in nobody.err, nobody
    assert run("get", key, "--url", "http://no-such-host.invalid").code == 4
    assert run("put", key, "--file", "/nonexistent/file", "--url", url_of(small)).code == 6
    assert run("get", key, "--output", "/nonexistent/file", "--url", url_of(small)).code == 1


def test_a_problem_as_json(ask, key, run):
    done = ask("get", key, "--json")
    assert done.code == 1 and json.loads(done.out)["problem"]["status"] == 404
    done = run("get", key, "--json", "--url", "http://127.0.0.1:1")
    assert done.code == 4 and "refused" in done.json()["problem"]["detail"]


@pytest.mark.parametrize("arguments, complaint", [
    (["get"], "KEY is required"),
    (["get", ""], "KEY"),
    (["get", "x" * 1025], "1024"),
    (["get", b"\xff"], "UTF-8"),
    (["put", "k"], "--file"),
    (["put", "k", "v", "--file", "f"], "--file"),
    (["put", "k", "v", "--content-type", "a\r\nb: c"], "control"),
    (["put", "k", "v", "--if-match", "x", "--create-only"], "--create-only"),
    (["put", "k", "v", "--if-none-match", "x"], "--if-none-match"),
    (["get", "k", "--url", "https://x"], "https"),
    (["get", "k", "--timeout", "soon"], "'soon' is not a time"),
    (["delete", "k", "--nonsense"], "--nonsense"),
])
def test_wrong_options_are_said_in_words(run, arguments, complaint):
    done = run(*arguments)
    assert done.code == 2 and complaint in done.err and not done.out, done


def test_the_environment(server, run, key, tmp_path):
    url = url_of(server)

    def go(*args, **env):
        return finish(start(*args, env=env))
    assert go("put", key, "v", ARMAZEM_URL=url).code == 0
    assert go("get", key, ARMAZEM_URL="http://127.0.0.1:1").code == 4
    assert go("get", key, "--url", url, ARMAZEM_URL="http://127.0.0.1:1").out == "v"
    assert go("get", key, ARMAZEM_URL=url, ARMAZEM_PORT="1").out == "v"  # a server's setting
    unknown = go("get", key, ARMAZEM_URI=url)
    assert unknown.code == 2 and "ARMAZEM_URI" in unknown.err


def test_a_server_refuses_what_is_for_its_clients(owns_process):
    for name in ["ARMAZEM_URL", "ARMAZEM_API_KEY", "ARMAZEM_API_KEY_FILE"]:
        code, printed = run_to_exit("serve", "--port", "0", "--store", "memory", env={name: "x"})
        assert code == 2 and name in printed and "client commands" in printed, printed


def test_the_key_is_sent_and_never_shown(run, fake_server, tmp_path):
    secret = "id.c2VjcmV0"
    fake = fake_server(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    (tmp_path / "key").write_text("id.other\n")
    done = finish(start("get", "k", "--url", url_of(fake), env={"ARMAZEM_API_KEY": secret}))
    assert done.code == 3 and "--api-key-file" in done.err and secret not in done.err + done.out
    assert f"authorization: bearer {secret}".encode().lower() in fake.requests[-1].lower()
    finish(start("get", "k", "--url", url_of(fake), "--api-key-file", tmp_path / "key", env={"ARMAZEM_API_KEY": secret}))
    assert b"Authorization: Bearer id.other\r\n" in fake.requests[-1]
    wrong = finish(start("get", "k", "--url", url_of(fake), env={"ARMAZEM_API_KEY": "a\r\nHost: b"}))
    assert wrong.code == 2 and "visible ASCII" in wrong.err
    assert finish(start("get", "k", "--url", url_of(fake), "--api-key-file", tmp_path / "none")).code == 2


@pytest.mark.parametrize("answer, code, words", [
    (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 10\r\n\r\n<h1>\x1b[31m\x07", 4, "not one of Armaz"),
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 3, "not one of Armaz"),
    (b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 4, "try again in 7 s"),
    (None, 4, "closed before the answer"),
    (b"SSH-2.0-x\r\n", 4, "malformed"),
])
def test_whatever_answers(run, fake_server, answer, code, words):
    done = run("get", "k", "--url", url_of(fake_server(answer)))
    assert done.code == code and words in done.err and "\x1b" not in done.err, done


def test_a_server_that_says_nothing(run, fake_server):
    done = run("get", "k", "--url", url_of(fake_server(b"")), "--timeout", "300ms")
    assert done.code == 4 and "no answer in time" in done.err, done


def test_a_terminal_gets_a_whole_line_and_colours(ask, terminal_of, key):
    ask("put", key, "no newline")
    assert terminal_of("get", key) == (0, b"no newline\r\n")
    code, shown = terminal_of("get", f"{key}-missing")
    assert code == 1 and shown.startswith(b"\x1b[31marmazem:\x1b[0m ")
    code, shown = terminal_of("get", f"{key}-missing", env={"NO_COLOR": "1"})
    assert code == 1 and shown.startswith(b"armazem: ")
    assert b"\x1b" not in ask("get", f"{key}-missing", env={"TERM": "xterm"}).err


def test_nobody_reads_its_output(server, ask, key):
    """What was written to a closed pipe ends it, and it says nothing about it."""
    ask("put", key, "-", given=b"x" * 1_000_000)
    process = start("get", key, "--url", url_of(server), text=False)
    process.stdout.close()
    process.stdout = None
    assert process.stderr.read() == b""
    process.stderr.close()
    process.stderr = None
    assert process.wait() == -signal.SIGPIPE


def test_output_that_cannot_be_written(server, ask, key):
    ask("put", key, "v")
    with open("/dev/full", "wb") as full:
        process = start("get", key, "--url", url_of(server), stdout=full)
        done = finish(process)
    assert done.code == 6 and "cannot write standard output" in done.err, done


@pytest.mark.parametrize("command", ["get", "put", "delete"])
def test_help_has_examples_and_exit_codes(run, command):
    done = run(command, "--help")
    assert done.code == 0 and "Examples:" in done.out and "Exit code:" in done.out and "--api-key-file" in done.out
