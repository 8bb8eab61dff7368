"""kill -9 at a random moment under many writers, again and again: no acknowledged write may be lost.

As a script: python3 tests/crash/test_kill9.py --rounds 200 --writers 32 --seed 7 --out summary.json
The seed fixes keys, sizes, operations and moments of the kills; what the machine does in between it can't fix.
"""
import argparse
import json
import os
import random
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.checks import version_of
from support.client import Client
from support.crash_model import KeyHistory, Operation, Violation, random_size
from support.http_raw import BadAnswer, Closed
from support.server import Server

ROUND_SECONDS_MAX = 0.6
HOT_KEYS = 8            # per writer: overwritten and deleted in every round
COLD_SHARE = 0.15       # of the writes go to a key that is never touched again
COLD_SAMPLE = 500       # cold keys read after each round; all of them at the end
READERS = 8
NO_ANSWER = (OSError, Closed, BadAnswer)


class Writer:
    """Owns its keys: nobody else writes them, so that their history is one sequence."""

    def __init__(self, number, seed):
        self.number = number
        self.random = random.Random(f"{seed}-{number}")
        self.hot = [KeyHistory(f"crash/{number}/hot/{each}") for each in range(HOT_KEYS)]
        self.cold = []
        self.counter = 0
        self.acknowledged = 0
        self.errors = []

    def next_operation(self):
        self.counter += 1
        pick = self.random
        if pick.random() < COLD_SHARE:
            history = KeyHistory(f"crash/{self.number}/cold/{self.counter}")
            self.cold.append(history)
        else:
            history = pick.choice(self.hot)
        deletes = pick.random() < 0.2 and history in self.hot
        name = f"crash-{self.number}-{self.counter}-{pick.getrandbits(64):x}" if pick.random() < 0.5 else None
        return history, Operation(history.key, self.counter, None if deletes else random_size(pick), name)

    def run(self, address):
        """Writes until the server is gone. The operation without an answer stays open."""
        client = Client(address)
        try:
            while True:
                history, operation = self.next_operation()
                history.sent(operation)
                if not self.perform(client, history, operation):
                    return
        except NO_ANSWER:
            return
        except AssertionError as wrong:
            self.errors.append(str(wrong))
        finally:
            client.close()

    def perform(self, client, history, operation):
        if operation.deletes:
            answer = client.delete(operation.key, operation.headers())
        else:
            answer = client.put(operation.key, operation.value(), operation.headers())
        if answer.status in ((204, 404) if operation.deletes else (200, 201)):
            history.acknowledged(operation, version_of(answer))
            self.acknowledged += 1
            return True
        if answer.status == 503:
            history.refused(operation)
            return True
        if answer.status == 504:
            return True  # unknown by the server's own word: stays open
        raise AssertionError(f"unexpected answer to {operation}: {answer!r}")


class Campaign:
    def __init__(self, writers, seed):
        self.seed = seed
        self.random = random.Random(f"{seed}-campaign")
        self.writers = [Writer(number, seed) for number in range(writers)]
        self.violations = []
        self.unknown = 0
        self.unknown_done = 0
        self.repeated = 0
        self.recoveries = []
        self.rounds = 0

    def round(self, server):
        threads = [threading.Thread(target=writer.run, args=(server.address,)) for writer in self.writers]
        for thread in threads:
            thread.start()
        # Not a wait for anything: the random moment is the experiment.
        threading.Event().wait(self.random.uniform(0.02, ROUND_SECONDS_MAX))
        server.kill()
        for thread in threads:
            thread.join()
        self.unknown += sum(len(history.open) for history in self.histories())
        self.recover(server)
        if self.random.random() < 0.2:  # a crash right after recovery, before anything is asked
            server.kill()
            self.recover(server)
        cold = [history for writer in self.writers for history in writer.cold if not history.open]
        open_cold = [history for writer in self.writers for history in writer.cold if history.open]
        sample = self.random.sample(cold, min(COLD_SAMPLE, len(cold)))
        self.verify(server, [history for writer in self.writers for history in writer.hot] + open_cold + sample)
        self.rounds += 1

    def recover(self, server):
        begun = time.monotonic()
        server.restart()
        client = Client(server.address)
        client.get("crash/first-read")
        client.close()
        self.recoveries.append(time.monotonic() - begun)

    def histories(self):
        return [history for writer in self.writers for history in writer.hot + writer.cold]

    def verify(self, server, histories):
        whole = [history for history in histories if not history.broken]
        parts = [whole[number::READERS] for number in range(READERS)]
        with ThreadPoolExecutor(READERS) as pool:
            for found in pool.map(lambda part: self.verify_part(server, part), parts):
                self.violations += found["violations"]
                self.unknown_done += found["done"]
                self.repeated += found["repeated"]

    def verify_part(self, server, histories):
        found = {"violations": [], "done": 0, "repeated": 0}
        client = Client(server.address)
        for history in histories:
            last = history.open[-1] if history.open else None
            try:
                got = client.get_raw(history.key)
                seen = history.seen(got.status, got.body, got.header("ETag"))
                found["done"] += seen is not None
                if last and last.idempotency_key:
                    self.repeat(client, history, last, done=seen == last)
                    found["repeated"] += 1
            except Violation as violation:
                history.broken = True
                why = got.body[:400].decode("utf-8", "replace") if got.status >= 400 else ""
                found["violations"].append(f"{violation} {why}".strip())
        client.close()
        return found

    def repeat(self, client, history, operation, done):
        """The client's own way out of an unknown outcome: the same write again with the same Idempotency-Key."""
        if operation.deletes:
            answer = client.delete(operation.key, operation.headers())
            wanted = (204, 404)
        else:
            answer = client.put(operation.key, operation.value(), operation.headers())
            wanted = (200, 201)
        if answer.status not in wanted:
            raise Violation(f"repeating {operation}: {answer!r}")
        if done and not operation.deletes and version_of(answer) != history.version:
            raise Violation(f"{operation} was done as {history.version} and again as {version_of(answer)}")
        history.acknowledged(operation, version_of(answer))
        got = client.get_raw(operation.key)
        history.seen(got.status, got.body, got.header("ETag"))

    def summary(self):
        errors = [error for writer in self.writers for error in writer.errors]
        return {
            "rounds": self.rounds, "writers": len(self.writers), "seed": self.seed,
            "acknowledged_writes": sum(writer.acknowledged for writer in self.writers),
            "unknown_outcomes": self.unknown, "unknown_that_were_done": self.unknown_done, "repeated_by_idempotency_key": self.repeated,
            "lost": len(self.violations), "violations": self.violations[:20], "unexpected_answers": errors[:20],
            "keys": len(self.histories()), "restarts": len(self.recoveries),
            "recovery_seconds_p50": round(statistics.median(self.recoveries), 3) if self.recoveries else None,
            "recovery_seconds_max": round(max(self.recoveries), 3) if self.recoveries else None,
        }


def run_campaign(server, rounds, writers, seed, progress=lambda text: None):
    campaign = Campaign(writers, seed)
    begun = time.monotonic()
    while campaign.rounds < rounds and not campaign.violations and not any(writer.errors for writer in campaign.writers):
        campaign.round(server)
        progress(f"round {campaign.rounds}/{rounds}: {campaign.summary()['acknowledged_writes']} acknowledged, lost={len(campaign.violations)}")
    campaign.verify(server, campaign.histories())
    return {**campaign.summary(), "seconds": round(time.monotonic() - begun, 1)}


def text_of(summary):
    shown = ("rounds", "acknowledged_writes", "unknown_outcomes", "lost", "recovery_seconds_p50", "recovery_seconds_max", "seconds")
    return " ".join(f"{name}={summary[name]}" for name in shown)


def replay_command(summary):
    return f"python3 tests/crash/test_kill9.py --rounds {summary['rounds']} --writers {summary['writers']} --seed {summary['seed']}"


def test_kill9_loses_nothing(start_server, seeded):
    rounds = int(os.environ.get("ARMAZEM_CRASH_ROUNDS", "15"))
    summary = run_campaign(start_server(), rounds, writers=32, seed=seeded.randrange(2**32))
    print(text_of(summary), "| again:", replay_command(summary))
    assert not summary["violations"] and not summary["unexpected_answers"], json.dumps(summary, indent=1)
    # Rounds in which nothing was written, or nothing was interrupted, would prove nothing.
    assert summary["rounds"] == rounds
    assert summary["acknowledged_writes"] > 10 * rounds, text_of(summary)
    assert summary["unknown_outcomes"] > 0, text_of(summary)


def main():
    parser = argparse.ArgumentParser(description="kill -9 under writers; ends with 1 when a write was lost")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--out", help="where to write the JSON summary")
    parser.add_argument("--server-arg", action="append", default=[], help="passed on to `armazem serve`; may be repeated")
    options = parser.parse_args()
    server = Server(*options.server_arg)
    try:
        summary = run_campaign(server.start(), options.rounds, options.writers, options.seed,
                               lambda text: print(f"\r{text}", end="", file=sys.stderr, flush=True))
    except BaseException:
        print(f"\nseed {options.seed}\n{server.log_tail()}", file=sys.stderr)
        raise
    finally:
        server.close()
    print(file=sys.stderr)
    print(text_of(summary))
    if options.out:
        Path(options.out).write_text(json.dumps(summary, indent=1) + "\n")
    failed = summary["violations"] or summary["unexpected_answers"]
    if failed:
        print(f"FAILED, again with: {replay_command(summary)}", *failed, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
