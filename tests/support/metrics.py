"""A strict reader of the Prometheus text format 0.0.4
(https://prometheus.io/docs/instrumenting/exposition_formats/): what Prometheus would drop, fails here."""
import math
import re
from dataclasses import dataclass, field

from support.http_raw import RawConnection, request_bytes

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)(?: (-?[0-9]+))?")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")


@dataclass
class Metrics:
    types: dict = field(default_factory=dict)
    helps: dict = field(default_factory=dict)
    samples: dict = field(default_factory=dict)  # (name, ((label, value), …) sorted) → number

    def value(self, name, **labels):
        """The sample with exactly these labels; 0 when there is none yet."""
        return self.samples.get((name, tuple(sorted(labels.items()))), 0)

    def total(self, name, **labels):
        """The sum over all samples of the name that have at least these labels."""
        wanted = set(labels.items())
        return sum(value for (sample, have), value in self.samples.items()
                   if sample == name and wanted <= set(have))

    def family_of(self, sample):
        for suffix in ("", "_bucket", "_sum", "_count"):
            family = sample.removesuffix(suffix) if suffix else sample
            if family in self.types and (not suffix or self.types[family] in ("histogram", "summary")):
                return family
        raise AssertionError(f"sample {sample} without a TYPE line before it")


def _number(text):
    assert re.fullmatch(r"[+-]?(Inf|NaN|[0-9.eE+-]+)", text), f"no number: {text!r}"
    return float(text)


def _labels(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"bad labels {text!r}"
        assert match[1] not in labels, f"label {match[1]} twice in {text!r}"
        labels[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        at = match.end()
    return tuple(sorted(labels.items()))


def parse(text):
    assert text.endswith("\n"), "the last line must end with a line feed"
    metrics, finished, current = Metrics(), set(), None
    for line in text.split("\n")[:-1]:
        if not line:
            continue
        if line.startswith("#"):
            words = line.split(" ", 3)
            if words[1] not in ("HELP", "TYPE"):
                continue
            kept = metrics.helps if words[1] == "HELP" else metrics.types
            assert re.fullmatch(NAME, words[2]) and words[2] not in kept, f"bad or repeated: {line!r}"
            if words[1] == "TYPE":
                assert words[3] in TYPES, line
            kept[words[2]] = words[3] if len(words) > 3 else ""
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, f"bad sample line {line!r}"
        family = metrics.family_of(sample[1])
        if family != current:
            assert family not in finished, f"the lines of {family} are not together"
            finished.add(family)
            current = family
        identity = (sample[1], _labels(sample[2] or ""))
        assert identity not in metrics.samples, f"sample twice: {line!r}"
        metrics.samples[identity] = _number(sample[3])
    _check_values(metrics)
    return metrics


def _check_values(metrics):
    for (name, labels), value in metrics.samples.items():
        if metrics.types[metrics.family_of(name)] == "counter":
            assert value >= 0 and not math.isnan(value), f"counter {name} {labels} is {value}"
    for family, kind in metrics.types.items():
        if kind == "histogram":
            _check_histogram(metrics, family)


def _check_histogram(metrics, family):
    """Cumulative buckets that never fall, +Inf equal to _count, a _sum for each."""
    series = {}
    for (name, labels), value in metrics.samples.items():
        if name == family + "_bucket":
            bounds = [_number(bound) for label, bound in labels if label == "le"]
            assert len(bounds) == 1, f"bucket without le: {name} {labels}"
            rest = tuple(pair for pair in labels if pair[0] != "le")
            series.setdefault(rest, []).append((bounds[0], value))
    for labels, buckets in series.items():
        buckets.sort()
        counts = [count for _, count in buckets]
        assert counts == sorted(counts), f"{family} {labels}: buckets fall: {buckets}"
        assert buckets[-1][0] == math.inf, f"{family} {labels}: no +Inf bucket"
        assert metrics.samples.get((family + "_count", labels)) == counts[-1], f"{family} {labels}: _count"
        total = metrics.samples.get((family + "_sum", labels))
        assert total is not None and total >= 0, f"{family} {labels}: _sum is {total}"


def fetch_metrics(address):
    with RawConnection(address) as connection:
        response = connection.exchange(request_bytes("GET", "/metrics"))
    assert response.status == 200, repr(response)
    return parse(response.body.decode("utf-8"))
