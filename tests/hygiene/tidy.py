"""clang-tidy over every source of a build folder, two at a time; what was clean before and has not changed since is not asked
again.

    python3 tests/hygiene/tidy.py BUILD_FOLDER [PART_OF_A_PATH…]

Clean is remembered under the hash of the file, of every header it includes, of its command and of .clang-tidy, in
~/.cache/armazem-tidy (XDG_CACHE_HOME). Ends with 1 when there is a finding.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = "clang-tidy-19"
ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "armazem-tidy"


class Hashes:
    """Content hashes of files, each read once."""

    def __init__(self):
        self._known = {}

    def of(self, path):
        if path not in self._known:
            self._known[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._known[path]


def dependencies(build):
    """Object file → the files it was made from, as ninja noted them when it built."""
    found, current = {}, None
    for line in subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout.splitlines():
        if head := re.match(r"(\S+): #deps", line):
            current = found.setdefault(head[1], [])
        elif line.strip():
            current.append((build / line.strip()).resolve())
    return found


def object_of(entry):
    return re.search(r" -o (\S+)", entry["command"])[1]


def fingerprint(entry, headers, hashes, tool):
    command = entry["command"].replace(str(ROOT), "")
    parts = [tool, command, hashes.of(ROOT / ".clang-tidy")] + [hashes.of(path) for path in headers]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def ask(build, source):
    done = subprocess.run([PROGRAM, "-p", build, "-quiet", "--warnings-as-errors=*", source], capture_output=True, text=True)
    return done.returncode == 0, done.stdout.strip() or done.stderr.strip()


def main():
    build, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:]
    CACHE.mkdir(parents=True, exist_ok=True)
    tool = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout
    made_from, hashes, due = dependencies(build), Hashes(), []
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if f"{ROOT}/src/" in entry["file"] and object_of(entry) in made_from
               and (not wanted or any(part in entry["file"] for part in wanted))]
    if not entries:
        sys.exit(f"nothing to look at: build {build} first")
    for entry in entries:
        mark = CACHE / fingerprint(entry, made_from[object_of(entry)], hashes, tool)
        if not mark.exists():
            due.append((entry["file"], mark))
    print(f"clang-tidy: {len(entries)} sources, {len(due)} of them new or changed", flush=True)
    began, bad = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(ask, build, source): (source, mark) for source, mark in due}
        for job in concurrent.futures.as_completed(running):
            source, mark = running[job]
            clean, text = job.result()
            if clean:
                mark.touch()
            else:
                bad += 1
                print(f"{os.path.relpath(source, ROOT)}:\n{text}", flush=True)
    print(f"clang-tidy: {bad} sources with findings, {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
