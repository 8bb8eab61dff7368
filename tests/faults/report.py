"""What a campaign shows: a line per fault while it runs, a table in the end."""
import json
import platform
import statistics
import time


class Report:
    def __init__(self, arguments):
        self.arguments = arguments
        self.begun = time.monotonic()
        self.faults = []
        self.failures = []
        self.skipped = {}
        self.counts, self.keys, self.verdict = {}, 0, ""
        self.lines = open(f"{arguments.report}.jsonl", "w") if arguments.report else None

    def seconds(self):
        return time.monotonic() - self.begun

    def skip(self, kind, reason):
        self.skipped[kind] = reason
        print(f"not possible here: {kind}: {reason}", flush=True)

    def fail(self, record, error):
        record["failed"] = f"{type(error).__name__}: {error}"
        self.failures.append(record)
        print(f"  FAILED: {record['failed']}", flush=True)

    def begin(self, record):
        print(f"{record['at']:7.1f} s  {record['kind']} (before: {record['operations_per_second']} answers/s)", end="",
              flush=True)

    def end(self, record):
        if "failed" not in record:
            print(f"  {record['what']}; recovered after {record['recovery']:.1f} s, whole after {record['whole']:.1f} s",
                  flush=True)
            self.faults.append(record)
        if self.lines:
            print(json.dumps(record), file=self.lines, flush=True)

    def table(self):
        """Markdown: a row per kind."""
        kinds = sorted({fault["kind"] for fault in self.faults})
        rows = ["| fault | times | recovery p50 (s) | max (s) | all parts well p50 (s) | max (s) |",
                "| --- | --- | --- | --- | --- | --- |"]
        for kind in kinds:
            of_kind = [fault for fault in self.faults if fault["kind"] == kind]
            rows.append(f"| {kind} | {len(of_kind)} | " + " | ".join(
                f"{statistics.median(times):.1f} | {max(times):.1f}"
                for times in ([fault["recovery"] for fault in of_kind], [fault["whole"] for fault in of_kind])) + " |")
        return "\n".join(rows)

    def summary(self):
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        kinds = len({fault["kind"] for fault in self.faults})
        return (f"{len(self.faults)} faults of {kinds} kinds in {self.seconds() / 60:.0f} minutes, seed {self.arguments.seed}; "
                f"{sum(self.counts.values())} operations on {self.keys} keys ({counts}).\narmazem-check: {self.verdict}")

    def write(self):
        text = f"{self.summary()}\n\n{self.table()}\n"
        for record in self.failures:
            text += f"\nFAILED: {record['kind']} at {record['at']} s: {record['failed']}\n"
        for kind, reason in self.skipped.items():
            text += f"\nNot possible here: {kind}: {reason}."
        print("\n" + text, flush=True)
        if self.arguments.report:
            machine = f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, Python {platform.python_version()}"
            command = f"./test.sh faults --minutes {self.arguments.minutes:g} --seed {self.arguments.seed}"
            self.arguments.report.write_text(f"{text}\n{machine}; `{command}`\n")
