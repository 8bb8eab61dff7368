"""The recording clients (armazem-fault-clients) as a process of the campaign."""
import json
import subprocess
import threading
import time

from faults.programs import program


class Clients:
    def __init__(self, ports, out, options):
        """`options` has seed, clients and rate; keys begin with the seed."""
        self.seen = []    # (moment, counts) of each second
        self.answers = []
        self.process = subprocess.Popen(
            [program("armazem-fault-clients"), "--ports", ",".join(map(str, ports)), "--out", str(out),
             "--prefix", f"f{options.seed}-", "--seed", str(options.seed), "--clients", str(options.clients),
             "--rate", str(options.rate)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            message = json.loads(line)
            with self.changed:
                if "at" in message:
                    self.seen.append((time.monotonic(), message["counts"]))
                else:
                    self.answers.append(message)
                self.changed.notify_all()

    def counts(self):
        with self.changed:
            return dict(self.seen[-1][1]) if self.seen else {}

    def rate(self, names, seconds=2):
        """Answers of these kinds per second, of late."""
        with self.changed:
            if len(self.seen) <= seconds:
                return 0.0
            (begin, before), (end, after) = self.seen[-1 - seconds], self.seen[-1]
        if time.monotonic() - end > 3:
            return 0.0
        return sum(after[name] - before[name] for name in names) / max(end - begin, 0.001)

    def command(self, word, seconds):
        """Its answer; a campaign without one is over."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        deadline = time.monotonic() + seconds
        with self.changed:
            while not self.answers:
                left = deadline - time.monotonic()
                assert left > 0 and self.process.poll() is None, f"the clients did not answer '{word}' within {seconds} s"
                self.changed.wait(min(left, 1))
            answer = self.answers.pop(0)
        assert "failed" not in answer, answer["failed"]
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
