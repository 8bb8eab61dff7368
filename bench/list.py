#!/usr/bin/env python3
"""A list of many keys as one stream: how fast it comes, and that the server's memory stays where it was.

    bench/list.py [--keys N] [--out FILE]

Fills a store of its own by POST /batch, starts the server anew, and reads GET /store as lines. About a minute for 10^6 keys;
writes docs/benchmarks-list.md. Exit code 3: the memory was over its target.
"""
import argparse
import datetime
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support.client import Client  # noqa: E402 (the path comes first)
from support.http_raw import request_bytes  # noqa: E402
from support.server import Server, binary  # noqa: E402

VALUE_BYTES = 100
GROWTH_MAX_MIB = 64
JSON = {"Content-Type": "application/json"}


def resident_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS in /proc")


def fill(server, keys):
    client, value, begun = Client(server.address), "v" * VALUE_BYTES, time.monotonic()
    for start in range(0, keys, 1000):
        operations = [{"op": "put", "key": f"key/{n:09}", "value": value} for n in range(start, min(start + 1000, keys))]
        response = client.request("POST", "/batch", JSON, json.dumps({"operations": operations}).encode())
        assert response.status == 200 and b'"problem"' not in response.body, response.body[:500]
    client.close()
    return time.monotonic() - begun


class Watch(threading.Thread):
    """The largest resident memory from its start to `end`."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.largest, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.02):
            try:
                self.largest = max(self.largest, resident_mib(self.pid))
            except (OSError, SystemExit):  # it has ended
                return

    def end(self):
        self.ended.set()
        self.join()
        return self.largest


def read_lines(address, query):
    """(seconds, bytes, lines, end of the content) of the list; the chunks' frames are counted with the bytes."""
    with socket.create_connection(address) as connection:
        begun = time.monotonic()
        connection.sendall(request_bytes("GET", f"/store{query}", {"Accept": "application/x-ndjson", "Connection": "close"}))
        received, lines, tail = 0, 0, b""
        while piece := connection.recv(1 << 20):
            received += len(piece)
            lines += piece.count(b'{"key":"key/')
            tail = (tail + piece)[-200:]
        return time.monotonic() - begun, received, lines, tail


def measure(server, query, keys):
    idle = resident_mib(server.pid)
    watch = Watch(server.pid)
    seconds, received, lines, tail = read_lines(server.address, query)
    largest = watch.end()
    assert f'{{"end":true,"entries":{keys}}}'.encode() in tail and tail.endswith(b"0\r\n\r\n"), tail
    assert abs(lines - keys) <= keys / 1000, f"{lines} lines of {keys}"  # one may be cut by two reads
    return {"seconds": seconds, "mib": received / 2**20, "idle": idle, "growth": max(0, largest - idle)}


def report(keys, filled, rows, command):
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    lines = ["# Benchmarks: lists", "",
             f"Written by `{command}` on {date}, commit {commit}; do not edit, run it again.", "",
             f"{keys:,} keys of 13 bytes with values of {VALUE_BYTES} bytes, in the embedded store. One client in Python reads",
             "`GET /store` with `Accept: application/x-ndjson` to its end; server and client share the machine: "
             f"{platform.machine()}, {os.cpu_count()} cores,", f"Linux {platform.release()}.", "",
             "| | entries per second | seconds | MiB sent | memory before | grown by at most | target |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, row in rows.items():
        met = "met" if row["growth"] < GROWTH_MAX_MIB else "**not met**"
        lines.append(f"| {name} | {keys / row['seconds']:,.0f} | {row['seconds']:.1f} | {row['mib']:,.0f} | {row['idle']:.1f} MiB | "
                     f"{row['growth']:.1f} MiB | < {GROWTH_MAX_MIB} MiB: {met} |")
    lines += ["", f"The store was filled by `POST /batch`, 1,000 puts each from one client, one batch at a time: {keys / filled:,.0f} durable puts",
              "per second. Memory is the server's resident memory, seen every 20 ms; it was started anew after the fill.", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks-list.md")
    options = parser.parse_args()
    assert binary()
    server = Server()
    try:
        server.start()
        filled = fill(server, options.keys)
        server.stop()
        server.restart()
        rows = {"keys only": measure(server, "?keys_only", options.keys), "with values": measure(server, "", options.keys)}
    finally:
        server.close()
    text = report(options.keys, filled, rows, " ".join(["bench/list.py", *sys.argv[1:]]))
    options.out.write_text(text, "utf-8")
    print(text)
    return 3 if any(row["growth"] >= GROWTH_MAX_MIB for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
