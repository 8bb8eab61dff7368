"""armazem completion bash and armazem man: both work where they are used, and both know every flag of every command."""
import re
import shutil
import subprocess

import pytest

from support.server import binary, child_environment

COMMANDS = ["serve", "worker", "migrate", "health", "backup", "deadletters", "deadletters list", "bench", "get", "put",
            "delete", "settings", "completion", "man"]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "armazem.bash"
    path.write_bytes(subprocess.run([binary(), "completion", "bash"], check=True, stdout=subprocess.PIPE,
                                    env=child_environment()).stdout)
    return path


@pytest.fixture
def complete(script, tmp_path):
    """complete("armazem", "put", "--fi"): what bash offers for the last word."""
    def go(*words):
        program = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _armazem; '
                   'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-uc", program, "bash", str(script), *words], cwd=tmp_path,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0 and not done.stderr, done
        return set(done.stdout.split())
    return go


def flags_of(command):
    """Those that --help shows."""
    done = subprocess.run([binary(), *command.split(), "--help"], env=child_environment(), stdout=subprocess.PIPE, text=True)
    options = done.stdout.split("\nExamples:")[0]
    return set(re.findall(r"^ +(?:-h,)?(--[a-z-]+)", options, re.M))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_of_every_command(complete, command):
    assert flags_of(command) == {word for word in complete("armazem", *command.split(), "--") if word.startswith("--")}


def test_commands(complete):
    assert {"get", "put", "serve"} <= complete("armazem", "")
    assert complete("armazem", "deadl") == {"deadletters"}
    assert complete("armazem", "deadletters", "re") == {"replay"}
    assert complete("armazem", "completion", "b") == {"bash"}


def test_values(complete, tmp_path):
    (tmp_path / "value.json").touch()
    (tmp_path / "folder").mkdir()
    assert complete("armazem", "put", "key", "--file", "v") == {"value.json"}
    assert complete("armazem", "serve", "--data", "") == {"folder"}
    assert complete("armazem", "bench", "--route", "") == {"json", "raw"}
    assert complete("armazem", "bench", "--route", "=", "r") == {"raw"}
    assert complete("armazem", "bench", "--route", "=") == {"json", "raw"}
    assert complete("armazem", "put", "key", "--ttl", "") == set()


def test_a_key_that_is_called_like_a_command(complete):
    assert "--ttl" in complete("armazem", "put", "get", "--t")


def test_the_shell_accepts_it_as_its_completion(script):
    done = subprocess.run(["bash", "--norc", "-c", f"source {script} && complete -p armazem"], stdout=subprocess.PIPE, text=True)
    assert done.stdout == "complete -F _armazem armazem\n"


@pytest.fixture(scope="module")
def page():
    return subprocess.run([binary(), "man"], check=True, env=child_environment(), stdout=subprocess.PIPE).stdout


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here (package groff-base)")
def test_the_page_renders_without_a_warning(page):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=100n", "-P-cbou"], input=page, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    text = done.stdout.decode()
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    for heading in ["NAME", "SYNOPSIS", "COMMANDS", "EXAMPLES", "ENVIRONMENT", "EXIT STATUS"]:
        assert re.search(rf"^{heading}$", text, re.M), heading
    assert "Armazém" in text and "'{\"user\":7}'" in text  # what a shell needs stands there as it must be typed


def test_the_page_has_every_command_and_flag(page):
    text = page.decode("ascii").replace("\\-", "-")
    for command in COMMANDS:
        section = text.split(f"\n.SS armazem {command}\n", 1)[1].split("\n.SS ")[0]
        assert flags_of(command) - {"--help"} <= set(re.findall(r"^\\fB(--[a-z-]+)", section, re.M)), command
