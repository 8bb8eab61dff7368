"""Real servers for contract tests, on free ports: starts the tiers that are asked for and prints how to reach them.

    eval "$(python3 tests/support/tiers.py start DIR [postgres] [redis] [rabbitmq])"
    python3 tests/support/tiers.py stop DIR [--wipe]

Prints lines `export ARMAZEM_TEST_POSTGRES=…`, `…_REDIS=…`, `…_AMQP=…` (an administrator of the virtual host,
straight to the three nodes) and `…_AMQP_APP=…` (with the rights that the API processes have). DIR keeps everything; a
second start uses the same ports and passwords. A tier that runs is left alone.
"""
import argparse
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from cluster import Cluster, StartFailed, rabbitmq, redis  # noqa: E402 (the path comes first)

TIERS = ["postgres", "redis", "rabbitmq"]


def exports(cluster, tiers):
    settings = cluster.settings
    urls = {
        "postgres": {"POSTGRES": cluster.tiers["sql"].url},
        "redis": {"REDIS": lambda: redis.url(settings)},
        "rabbitmq": {"AMQP": lambda: rabbitmq.url(settings, "armazem-admin"),
                     "AMQP_APP": lambda: rabbitmq.url(settings)},
    }
    return {f"ARMAZEM_TEST_{name}": url() for tier in tiers for name, url in urls[tier].items()}


def start(data, tiers):
    """The cluster, and its environment for tests."""
    cluster = Cluster.make(data, free_ports=True, sql="postgres")
    cluster.start(*tiers)
    return cluster, exports(cluster, tiers)


def stop(data, wipe=False):
    cluster = Cluster.load(data)
    if cluster:
        cluster.stop(say=lambda text: print(text, file=sys.stderr))
        if wipe:
            cluster.wipe()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("tiers", nargs="*", metavar="tier", help=f"{', '.join(TIERS)}; default: all")
    parser.add_argument("--wipe", action="store_true", help="with stop: remove the directory too")
    options = parser.parse_args()
    tiers = options.tiers or TIERS
    unknown = set(tiers) - set(TIERS)
    if unknown:
        parser.error(f"unknown tier: {', '.join(sorted(unknown))}")
    if options.action == "stop":
        stop(options.directory, options.wipe)
        return 0
    try:
        _, variables = start(options.directory, tiers)
    except StartFailed as failed:
        for failure in failed.failures:
            print(failure, *getattr(failure, "log_tail", []), sep="\n  ", file=sys.stderr)
        return 1
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
