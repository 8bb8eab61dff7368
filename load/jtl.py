"""What JMeter wrote down of each request (a JTL file, CSV): the figures of a run, and its course second by second."""
import csv
import math
from collections import Counter, defaultdict
from pathlib import Path

# The columns of `armazem bench --csv`, so that both have the same chart.
SERIES = ["seconds", "operation", "requests", "errors", "requests_per_second", "mean_ms", "p50_ms", "p90_ms", "p99_ms",
          "p999_ms", "max_ms"]
FIGURES = ["operation", "requests", "errors", "requests_per_second", "mean_ms", "min_ms", "p50_ms", "p90_ms", "p95_ms",
           "p99_ms", "p999_ms", "max_ms"]
ALL = "all"


class Samples:
    """Latencies of one kind, sorted once."""

    def __init__(self, samples):
        self.sorted = sorted(elapsed for elapsed, _ in samples)
        self.errors = sum(not success for _, success in samples)

    def percentile(self, percent):
        """The shortest latency that at least so many did not exceed."""
        rank = math.ceil(percent / 100 * len(self.sorted))
        return self.sorted[max(rank, 1) - 1]

    def figures(self, seconds):
        return {"requests": len(self.sorted), "errors": self.errors,
                "requests_per_second": len(self.sorted) / seconds if seconds else 0,
                "mean_ms": sum(self.sorted) / len(self.sorted), "min_ms": self.sorted[0], "max_ms": self.sorted[-1],
                **{f"p{str(percent).replace('.', '')}_ms": self.percentile(percent) for percent in (50, 90, 95, 99, 99.9)}}


class Run:
    def __init__(self, path):
        self.samples = []  # (end in ms, operation, elapsed ms, success)
        self.reasons = Counter()  # of errors
        self.answers = Counter()  # by operation and status
        with Path(path).open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                elapsed, success = int(row["elapsed"]), row["success"] == "true"
                self.samples.append((int(row["timeStamp"]) + elapsed, row["label"], elapsed, success))
                self.answers[row["label"], row["responseCode"]] += 1
                if not success:
                    self.reasons[f"{row['label']} {row['responseCode']}: {row['failureMessage'] or row['responseMessage']}"[:160]] += 1
        if not self.samples:
            raise ValueError(f"{path} has no samples")
        self.begin = min(end - elapsed for end, _, elapsed, _ in self.samples)
        self.seconds = (max(end for end, *_ in self.samples) - self.begin) / 1000

    def figures(self):
        """{operation: figures}, `all` last. Rates are over the whole run, as in JMeter's own report."""
        return {name: Samples(samples).figures(self.seconds) for name, samples in _by_operation(self.samples)}

    def answers_text(self):
        """How often each status came; 202: durable in the queue, and not applied when it was answered."""
        return ", ".join(f"{operation} {status}: {count:,}" for (operation, status), count in sorted(self.answers.items(), reverse=True))

    def series(self):
        """One row an operation and second."""
        seconds = defaultdict(list)
        for sample in self.samples:
            seconds[int((sample[0] - self.begin) / 1000)].append(sample)
        rows = []
        for second in range(max(seconds) + 1):
            length = min(1.0, max(self.seconds - second, 0.001))
            if second not in seconds:
                rows.append({name: 0 for name in SERIES} | {"seconds": second + length, "operation": ALL})
            rows += [{"seconds": second + length, "operation": name, **Samples(samples).figures(length)}
                     for name, samples in _by_operation(seconds.get(second, []))]
        return rows


def _by_operation(samples):
    groups = defaultdict(list)
    for _, operation, elapsed, success in samples:
        groups[operation].append((elapsed, success))
    everything = [one for group in groups.values() for one in group]
    return [(name, groups[name]) for name in sorted(groups, reverse=True)] + ([(ALL, everything)] if everything else [])


def write_csv(path, columns, rows):
    with Path(path).open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: f"{value:.3f}" if isinstance(value, float) else value for name, value in row.items()})


def write_figures(path, figures):
    write_csv(path, FIGURES, [{"operation": name, **values} for name, values in figures.items()])


def markdown(figures):
    """A table of `figures` as people read it; latencies in ms."""
    lines = ["| | requests | errors | requests/s | mean | p50 | p90 | p95 | p99 | p99.9 | max |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, one in figures.items():
        cells = [f"{one['requests']:,}", f"{one['errors']:,}", f"{one['requests_per_second']:,.1f}"]
        cells += [milliseconds(one[column]) for column in FIGURES[4:] if column != "min_ms"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def milliseconds(value):
    return f"{value:.1f}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"
