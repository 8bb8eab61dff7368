"""One run of wrk, as a dictionary; wrong answers make it invalid, never just slower."""
from pathlib import Path

from lib.processes import last_json_object

SCRIPTS = Path(__file__).resolve().parents[1] / "wrk"


class Wrk:
    def __init__(self, processes, threads, connections):
        self.processes, self.threads, self.connections = processes, threads, connections

    def command(self, script, url, args=(), seconds=5, connections=None, threads=None):
        return ["wrk", f"-t{threads or self.threads}", f"-c{connections or self.connections}", f"-d{seconds}s",
                "--timeout", "10s", "-s", SCRIPTS / script, url, "--", *args]

    def run(self, script, url, args=(), seconds=5, connections=None, threads=None):
        command = self.command(script, url, args, seconds, connections, threads)
        printed = self.processes.run("wrk", command, seconds + 60)
        result = last_json_object(printed, "RESULT ")
        result["per_second"] = result["requests"] / (result["duration_us"] / 1e6)
        result["answer_bytes"] = result["bytes"] / max(1, result["requests"])
        result["invalid"] = what_is_wrong(result)
        return result

    def diagnose(self, script, url, args=(), seconds=1):
        """The same load with every answer's status looked at: all must be 2xx."""
        return self.run(script, url, [*args, "classes"], seconds)


def what_is_wrong(result):
    """None, or the reason why the figures must not be used."""
    wrong = [f"{count} {kind} errors" for kind, count in result["errors"].items() if count]
    wrong += [f"{count} answers {kind}" for kind, count in result["classes"].items() if kind != "2xx"]
    if result["requests"] == 0:
        wrong.append("no answer at all")
    return ", ".join(wrong) or None
