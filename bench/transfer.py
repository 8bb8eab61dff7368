#!/usr/bin/env python3
"""`armazem export` and `import` of many keys: how fast, in how much memory on both sides, and that all comes back.

    bench/transfer.py [--keys N] [--out FILE]

Fills a store of its own, every tenth key with an expiry, exports it, imports the file into a second store, exports that one too
and compares the two files. About a minute for 10^6 keys; writes docs/benchmarks-transfer.md. Exit code 3: memory was over its target.
"""
import argparse
import filecmp
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import list as lists  # bench/list.py: how a store is filled, and a process watched

from support.client import Client
from support.server import Server, binary, child_environment

GROWTH_MAX_MIB = lists.GROWTH_MAX_MIB


def fill(server, keys):
    client = Client(server.address)
    for start in range(0, keys, 1000):
        operations = [{"op": "put", "key": f"key/{number:09}", "value": f"{number:0{lists.VALUE_BYTES}}",
                       **({"ttl": 1_000_000 + number} if number % 10 == 0 else {})} for number in range(start, min(start + 1000, keys))]
        answer = client.request("POST", "/batch", lists.JSON, json.dumps({"operations": operations}).encode())
        assert answer.status == 200 and b'"problem"' not in answer.body, answer.body[:500]
    client.close()


def run(server, command, *arguments):
    """(seconds, MiB of the server before, grown by, MiB of the client at most)"""
    before = lists.resident_mib(server.pid)
    url = f"http://{server.address[0]}:{server.address[1]}"
    begun = time.monotonic()
    process = subprocess.Popen([binary(), command, "--quiet", "--url", url, *map(str, arguments)], env=child_environment())
    at_server, at_client = lists.Watch(server.pid), lists.Watch(process.pid)
    code = process.wait()
    seconds = time.monotonic() - begun
    for watch in (at_server, at_client):
        watch.ended.set()
    assert code == 0, f"{command} ended with {code}"
    return seconds, before, at_server.largest - before, at_client.largest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--out", default=str(lists.ROOT / "docs/benchmarks-transfer.md"))
    asked = parser.parse_args()
    old, new = Server(), Server()
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "first.ndjson", Path(folder) / "second.ndjson"
        try:
            old.start()
            fill(old, asked.keys)
            old.stop()
            old.start()
            new.start()
            out = run(old, "export", "--to", first)
            into = run(new, "import", "--from", first)
            run(new, "export", "--to", second)
            same = filecmp.cmp(first, second, shallow=False)
            lines = sum(1 for _ in first.open("rb"))
            size = first.stat().st_size / 2**20
        finally:
            old.close()
            new.close()
    assert same and lines == asked.keys, f"{lines} lines, the same: {same}"
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=lists.ROOT, capture_output=True, text=True).stdout.strip()
    rows = [("export", *out), ("import", *into)]
    # What an import makes of a server's write buffers and cache are those of any writes.
    over = out[2] > GROWTH_MAX_MIB or out[3] > GROWTH_MAX_MIB or into[3] > GROWTH_MAX_MIB
    table = "\n".join(f"| `{name}` | {asked.keys / seconds:,.0f} | {seconds:.1f} | {before:.0f} MiB | {grown:.1f} MiB | {client:.1f} MiB |"
                      for name, seconds, before, grown, client in rows)
    text = f"""# Benchmarks: export and import

Written by `bench/transfer.py` on {lists.datetime.datetime.now(lists.datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, commit {commit}; do not edit, run it again.

{asked.keys:,} keys with values of {lists.VALUE_BYTES} bytes, every tenth with an expiry, from one embedded store into another; servers and client
share the machine: {platform.machine()}, {lists.os.cpu_count()} cores, Linux {platform.release()}. The file has {size:.0f} MiB.

| | keys per second | seconds | server's memory before | grown by at most | client's memory at most |
| --- | --- | --- | --- | --- | --- |
{table}

An export of the second store is byte for byte the file that it was made from: keys, values, types, versions and expiry. Target:
less than {GROWTH_MAX_MIB} MiB on either side while a list is streamed{": not met" if over else ""}. The server that imports also fills its write buffers and its cache,
as with any writes.
"""
    Path(asked.out).write_text(text)
    print(text)
    return 3 if over else 0


if __name__ == "__main__":
    sys.exit(main())
