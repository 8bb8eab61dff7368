"""The measured part of docs/load-tests.md, and the files beside it."""
import datetime
import shutil
import statistics

import jtl
import tools
from lib import machine

PAGE, FOLDER = tools.ROOT / "docs/load-tests.md", tools.ROOT / "docs/load-tests"
BEGIN, END = "<!-- Begin of what load/run.sh --document writes. -->", "<!-- End of what load/run.sh --document writes. -->"
# What the course project that this one follows published for itself: mean and maximum in ms, requests per second in total.
SEED = {"PUT": (13, 524), "GET": (24, 803)}
SEED_TOTAL = 607
FILES = {"jmeter/summary.csv": "jmeter.csv", "jmeter/series.svg": "jmeter.svg", "bench-shape.svg": "bench-shape.svg",
         "bench-607.svg": "bench-607.svg", "bench-2000.svg": "bench-2000.svg"}
QUIET = 0.5  # a load average above this is work of others
PERCENTILES = ("mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max")
PACKAGES = ("nginx", "haproxy", "redis-server", "rabbitmq-server", "postgresql-15", "openjdk-17-jre-headless", "wrk")


def figures(results, choices, before, out):
    parameters, plan = results["parameters"], results["jmeter"]
    lines = [BEGIN, "", "## Measured", "", *conditions(choices, before, out), "",
             "### The plan, beside what the course project published", "",
             f"`load/run.sh`: {parameters['users']} users, ramp-up {parameters['rampup']} s, {parameters['loops']} loops of a PUT and a "
             f"GET, values of {parameters['valuebytes']} bytes, {parameters['keys']:,} keys, through NGINX. The users do not pause, and each "
             "is done after its last loop. So the faster the answers, the fewer users are at work at a time, and the rate cannot exceed "
             f"{2 * parameters['users'] * parameters['loops'] / parameters['rampup']:,.0f}/s: it follows from the ramp-up, not from "
             "what the system could do.", "",
             "| | PUT mean | PUT max | GET mean | GET max | requests/s | errors |", "| --- | --- | --- | --- | --- | --- | --- |",
             f"| course project, published | {SEED['PUT'][0]} ms | {SEED['PUT'][1]} ms | {SEED['GET'][0]} ms | {SEED['GET'][1]} ms | "
             f"{SEED_TOTAL} | 0 |",
             f"| Armazém | {jtl.milliseconds(plan['PUT']['mean_ms'])} ms | {plan['PUT']['max_ms']:,} ms | "
             f"{jtl.milliseconds(plan['GET']['mean_ms'])} ms | {plan['GET']['max_ms']:,} ms | "
             f"{plan['all']['requests_per_second']:,.0f} | {plan['all']['errors']} |", "",
             "The two rows come from different machines. All of it, latencies in ms as JMeter measured them, which counts whole "
             f"milliseconds ([CSV](load-tests/jmeter.csv)); {results['seconds']:.1f} s:", "", jtl.markdown(plan),
             f"Answers: {results['answers']}. (202: durable in the queue, and not yet applied by a worker when it was answered.)", "",
             *(f"- {count} × {reason}" for reason, count in results["reasons"].most_common(20)),
             "![The plan's course](load-tests/jmeter.svg)", "",
             "### The same shape by armazem bench", "",
             f"`armazem bench --connections {parameters['users']} --ramp-up {parameters['rampup']}s --loops "
             f"{2 * parameters['loops']} --pairs`: without the cost of JMeter on the same cores.", "", *table(results["shape"]), "",
             "![Its course](load-tests/bench-shape.svg)", "",
             "### At a fixed rate", "",
             f"`armazem bench --connections {parameters['users']} --rate R --warm-up 2s --duration 60s --pairs`: latency from the moment "
             "when a request was due. The first rate is the course project's.", ""]
    for rate in (rate for rate in results if isinstance(rate, int)):
        lines += [f"{rate:,} requests/s asked for:", "", *table(results[rate]), "", f"![Its course](load-tests/bench-{rate}.svg)", ""]
    lines += [*beside_wrk(results["pairs"]), "", END]
    return "\n".join(lines)


def conditions(choices, before, out):
    about = machine.describe(out)
    version = tools.run(tools.ARMAZEM, "--version", seconds=20).strip()
    packages = ", ".join(f"{name} {number}" for name, number in machine.versions(PACKAGES).items())
    jmeter = (tools.ROOT / "load/pom.xml").read_text().split("<jmeter.version>")[1].split("<")[0]
    return [f"On {datetime.date.today()} by `load/run.sh --document`. Everything on the same machine: NGINX, {choices.apis} API processes, Redis "
            f"Cluster (3 + 3), RabbitMQ (3), HAProxy, {choices.workers} workers, {choices.sql}, and the load.", "",
            "| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in about.items()),
            f"| Load average before | {before:.1f}{'' if before < QUIET else ': the machine was **not quiet**, so the figures are too bad'} |",
            f"| Versions | {version}; JMeter {jmeter}; {packages} |"]


def table(result):
    lines = ["| | requests | errors | requests/s | " + " | ".join(PERCENTILES) + " |", "| --- " * (len(PERCENTILES) + 4) + "|"]
    for name, one in [*result["operations"].items(), ("all", result["all"])]:
        cells = [f"{one['requests']:,}", f"{one['errors']:,}", f"{one['requests_per_second']:,.1f}"]
        cells += [f"{one['latency_ms'][column]:,.1f}" for column in PERCENTILES]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if result["never_sent"]:
        lines += ["", f"{result['never_sent']:,} requests were due and never sent, because every connection waited for an answer."]
    answers = ", ".join(f"{status}: {count:,}" for status, count in result["answers"].items())
    return lines + ["", f"Answers: {answers}.", *(f"- {count} × {error}" for error, count in result["errors"].items())]


def beside_wrk(pairs):
    ratios = [ours / theirs for ours, theirs in pairs]
    return ["### armazem bench beside wrk", "",
            "How much of the machine the load client itself takes: GET of random keys from one server of its own, 64 connections, one "
            "thread each, in turn.", "", "| pair | armazem bench | wrk | ratio |", "| --- | --- | --- | --- |",
            *(f"| {number} | {ours:,.0f}/s | {theirs:,.0f}/s | {ours / theirs:.2f} |" for number, (ours, theirs) in enumerate(pairs, 1)),
            "", f"Median ratio: {statistics.median(ratios):.2f}."]


def write(text, out):
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + text + rest.split(END)[1], encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for source, name in FILES.items():
        shutil.copyfile(out / source, FOLDER / name)
