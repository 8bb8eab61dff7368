"""The programs that a load test runs, and what is asked of them."""
import json
import os
import subprocess
from pathlib import Path

import jtl

ROOT = Path(__file__).resolve().parents[1]
ARMAZEM = Path(os.environ.get("ARMAZEM_BIN", ROOT / "build/release/bin/armazem"))
PLAN = ROOT / "load/armazem.jmx"
# Parameters of the plan, with its defaults: the load that the course project published.
PARAMETERS = {"host": "127.0.0.1", "port": 8000, "users": 300, "rampup": 30, "loops": 100, "valuebytes": 100, "keys": 10_000,
              "timeout": 10_000}


class Failed(Exception):
    """A load test that could not be made; the text says why."""


def run(*command, seconds, show=False, allowed=(0,)):
    """What it printed, or Failed with the end of it. `show`: as it comes, for the user to see."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARMAZEM_")}
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=None if show else subprocess.PIPE,
                              stderr=None if show else subprocess.STDOUT, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failed(f"{words[0]} did not end within {seconds} s") from None
    if done.returncode not in allowed:
        raise Failed(f"{words[0]} failed with exit code {done.returncode}\n" + "\n".join((done.stdout or "").splitlines()[-20:]))
    return done.stdout


def jmeter(parameters, out, seconds=1800, show=False):
    """Runs the plan; leaves results.jtl, report/ (HTML with charts) and jmeter.log in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for old in ("results.jtl", "report"):
        if (out / old).exists():
            raise Failed(f"{out / old} exists already: choose another --out, or remove it")
    run(ROOT / "load/jmeter.sh", "-n", "-t", PLAN, "-l", out / "results.jtl", "-j", out / "jmeter.log", "-e", "-o", out / "report",
        *(f"-J{name}={value}" for name, value in parameters.items()),
        "-Jjmeterengine.nongui.port=0",  # no port of its own to be stopped by
        f"-Jjmeter.reportgenerator.temp_dir={out / 'temp'}", "-Jjmeter.reportgenerator.overall_granularity=1000",
        seconds=seconds, show=show)
    return jtl.Run(out / "results.jtl")


def summarise(done, parameters, out):
    """Writes summary.md, summary.csv, series.csv and series.svg beside JMeter's own report; returns the figures."""
    figures = done.figures()
    jtl.write_figures(out / "summary.csv", figures)
    jtl.write_csv(out / "series.csv", jtl.SERIES, done.series())
    chart(out / "series.csv", out / "series.svg", f"JMeter, {parameters['users']} users")
    lines = [f"{parameters['users']} users, ramp-up {parameters['rampup']} s, {parameters['loops']} loops of PUT and GET, values of "
             f"{parameters['valuebytes']} bytes, {parameters['keys']} keys; {done.seconds:.1f} s. Latencies in ms.", "",
             jtl.markdown(figures), f"Answers: {done.answers_text()}."]
    lines += [f"- {count} × {reason}" for reason, count in done.reasons.most_common(20)]
    (out / "summary.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return figures


def chart(series, svg, title):
    run(ARMAZEM, "bench", "--from-csv", series, "--svg", svg, "--title", title, seconds=60)


def bench(url, *flags, out=None, name="bench", title="armazem bench", seconds=900):
    """The result of `armazem bench` as a dictionary; with `out` also its time series there."""
    files = ["--csv", out / f"{name}.csv", "--svg", out / f"{name}.svg", "--title", title] if out else []
    # 1 also means that requests failed: the figures say so.
    printed = run(ARMAZEM, "bench", "--url", url, "--json", "--quiet", *flags, *files, seconds=seconds, allowed=(0, 1))
    try:
        return json.loads(printed.splitlines()[-1])
    except (ValueError, IndexError):
        raise Failed(f"armazem bench: {printed}") from None
