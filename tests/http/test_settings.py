"""Settings that make no sense are refused before anything is opened, and the message names them."""
import re

import pytest

from support.server import run_to_exit

pytestmark = pytest.mark.usefixtures("owns_process")

BAD_FLAGS = [
    ("--no-such-flag",), ("--no-such-flag", "1"), ("--porrt", "0"), ("--port", "banana"), ("--port", "-1"), ("--port", "65536"), ("--port", "99999999999999999999"),
    ("--header-timeout", "banana"), ("--header-timeout", "-1s"), ("--header-timeout", "5 parsecs"), ("--idle-timeout", "1x"), ("--body-timeout", "s"),
    ("--max-connections", "many"), ("--max-connections", "-5"), ("--max-connections", "1.5"), ("--inflight-bytes", "lots"), ("--value-max", "banana"), ("--value-max", "-1"),
    ("--value-max", "1XiB"), ("--store-reserve", "4MiBs"), ("--store", "no-such-store"), ("--log-format", "poetry"), ("--log-level", "loudest"),
]


def refused(*args, env=None, name):
    code, printed = run_to_exit("serve", *args, env=env)
    assert 0 < code < 128, f"exit code {code}:\n{printed}"
    assert name in printed, f"the message does not name {name}:\n{printed}"
    assert '"listening"' not in printed and "terminate called" not in printed, printed
    return printed


@pytest.mark.parametrize("flags", BAD_FLAGS, ids=[" ".join(flags) for flags in BAD_FLAGS])
def test_bad_flag(tmp_path, flags):
    port = () if flags[0] == "--port" else ("--port", "0")
    refused(*port, "--data", tmp_path / "data", *flags, name=flags[0].lstrip("-"))
    assert not (tmp_path / "data").exists(), "the data directory was made before the settings were checked"


def test_flag_without_its_value(tmp_path):
    refused("--port", "0", "--data", tmp_path, "--max-connections", name="max-connections")


def test_stray_word(tmp_path):
    refused("--port", "0", "--data", tmp_path, "stray-word", name="stray-word")


@pytest.mark.parametrize("name", ["ARMAZEM_NO_SUCH_SETTING", "ARMAZEM_PORTT"])
def test_unknown_environment_variable(tmp_path, name):
    refused("--port", "0", "--data", tmp_path, env={name: "1"}, name=name)


def test_malformed_environment_variable(tmp_path):
    printed = refused("--port", "0", "--data", tmp_path, env={"ARMAZEM_MAX_CONNECTIONS": "many"}, name="many")
    assert re.search("max[-_]connections", printed, re.IGNORECASE), printed


def test_unknown_key_in_the_config_file(tmp_path):
    config = tmp_path / "armazem.conf"
    config.write_text('no-such-key = "1"\n')
    refused("--config", config, "--port", "0", "--data", tmp_path / "data", name="no-such-key")


def test_malformed_value_in_the_config_file(tmp_path):
    config = tmp_path / "armazem.conf"
    config.write_text('max-connections = "many"\n')
    refused("--config", config, "--port", "0", "--data", tmp_path / "data", name="max-connections")


def test_missing_config_file(tmp_path):
    refused("--config", tmp_path / "nowhere.conf", "--port", "0", "--data", tmp_path / "data", name="nowhere.conf")


def test_unknown_command():
    code, printed = run_to_exit("dance")
    assert 0 < code < 128 and "dance" in printed, printed


@pytest.mark.parametrize("args", [("--help",), ("serve", "--help")])
def test_help_is_no_error(args):
    code, printed = run_to_exit(*args)
    assert code == 0 and "serve" in printed


def test_version_is_no_error():
    code, printed = run_to_exit("--version")
    assert code == 0 and printed.strip()


def test_port_in_use_is_named(start_server, tmp_path):
    """A second server on the first one's port: refused with the port in the message, not a silent other port."""
    port = start_server().address[1]
    refused("--port", port, "--data", tmp_path / "data", name=str(port))
