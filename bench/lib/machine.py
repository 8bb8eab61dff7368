"""What the figures were measured on. No host name, no path."""
import os
import re
import statistics
import subprocess
import time
from pathlib import Path


def describe(directory):
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 2**20
    return {
        "Processor": f"{os.cpu_count()} × {_cpu_model()}",
        "Memory": f"{memory:.1f} GiB",
        "Kernel": f"{os.uname().sysname} {os.uname().release}, {os.uname().machine}",
        "System": _os_release(),
        "File system": f"{_file_system(directory)}; 100 bytes appended and fdatasync'ed in {_sync_us(directory):,.0f} µs (median)",
    }


def versions(packages):
    """{package: version} as dpkg knows them; what is not installed is left out."""
    found = {}
    for package in packages:
        query = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", package]
        try:
            answer = subprocess.run(query, capture_output=True, text=True, timeout=20).stdout.split()
        except OSError:
            return found
        if answer[:1] == ["installed"]:
            found[package] = answer[1]
    return found


def in_memory_file_system(directory):
    return _file_system(directory) in ("tmpfs", "ramfs")


def _cpu_model():
    match = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return match[1].strip() if match else "unknown model"


def _os_release():
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(), re.MULTILINE)
    return match[1] if match else "unknown"


def _file_system(directory):
    """The type of the longest mount point above the directory."""
    where, best, kind = str(Path(directory).resolve()) + "/", "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, this_kind = line.split()[:3]
        if where.startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, kind = point, this_kind
    return kind


def _sync_us(directory, times=200):
    """What one durable write costs here: the ground under every PUT figure."""
    path, took = Path(directory) / "sync-probe", []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(times):
            begun = time.perf_counter()
            os.write(descriptor, b"x" * 100)
            os.fdatasync(descriptor)
            took.append(time.perf_counter() - begun)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(took) * 1e6
