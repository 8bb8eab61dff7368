"""A whole cluster on free ports, for several test stages: starts it and prints how to reach it.

    eval "$(python3 tests/support/whole_cluster.py start DIR)"
    python3 tests/support/whole_cluster.py stop DIR

Prints `export ARMAZEM_CLUSTER=DIR`, `ARMAZEM_CLUSTER_URL=http://…` (NGINX) and the tiers' `ARMAZEM_TEST_…` (see tiers.py).
"""
import shlex
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "scripts")]

from cluster import Cluster, StartFailed  # noqa: E402 (the path comes first)
from support import tiers  # noqa: E402


def start(directory):
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o711)  # PostgreSQL's user passes through
    cluster = Cluster.make(directory / "data", free_ports=True, sql="postgres")
    cluster.start()
    variables = {"ARMAZEM_CLUSTER": str(directory / "data"),
                 "ARMAZEM_CLUSTER_URL": f"http://127.0.0.1:{cluster.settings.ports.of('nginx')}"}
    for name, value in (variables | tiers.exports(cluster, tiers.TIERS)).items():
        print(f"export {name}={shlex.quote(value)}")


def main():
    action, directory = sys.argv[1], Path(sys.argv[2])
    if action == "stop":
        tiers.stop(directory / "data", wipe=True)
        return 0
    try:
        start(directory)
    except StartFailed as failed:
        for failure in failed.failures:
            print(failure, *getattr(failure, "log_tail", []), sep="\n  ", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
