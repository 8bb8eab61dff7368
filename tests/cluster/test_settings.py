"""What a cluster remembers, who may read it, and what is said when a port is taken."""
import os
import socket

import pytest

from cluster.component import base_environment
from cluster.ports import Ports, PortTaken, ephemeral_low, require_free
from cluster.settings import Settings
from cluster.templates import fill


def test_a_second_start_uses_the_same_ports_and_passwords(scratch):
    first = Settings.make(scratch / "data", free_ports=True)
    first.save()
    again = Settings.make(scratch / "data", free_ports=True)
    assert again.choices == first.choices
    assert again.secret("x") == first.secret("x") and len(first.secret("x")) >= 32
    assert first.secret("x") != first.secret("y")


def test_only_the_owner_reads_secrets(scratch):
    settings = Settings.make(scratch / "data", free_ports=True)
    settings.save()
    settings.secret("x")
    secrets = settings.data / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700 and (secrets / "x").stat().st_mode & 0o777 == 0o600
    assert settings.file_of(settings.data).stat().st_mode & 0o777 == 0o600
    # Root lets PostgreSQL's user pass through, which is not reading.
    assert settings.data.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)


def test_no_two_parts_share_a_port_and_none_is_ephemeral():
    for ports in (Ports(26000, 8000), Ports(10000)):
        plan = list(ports.all(30, 30))
        assert len(set(plan)) == len(plan)
        assert max(plan) < min(ephemeral_low(), 32768)


def test_a_taken_port_is_named_with_its_owner():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as raised:
            require_free({port: "redis-1"})
    text = str(raised.value)
    assert str(port) in text and "redis-1" in text and f"pid {os.getpid()}" in text


def test_a_template_must_use_what_it_gets_and_get_what_it_uses():
    assert fill("a @X@ b@c", {"X": 1}) == "a 1 b@c"
    for values in ({}, {"X": 1, "Y": 2}):
        with pytest.raises(KeyError):
            fill("@X@", values)


def test_daemons_see_nothing_of_the_callers_environment(monkeypatch):
    monkeypatch.setenv("ARMAZEM_TEST_ONLY", "1")
    assert set(base_environment()) == {"PATH", "LANG", "LC_ALL"}
