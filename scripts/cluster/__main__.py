"""The command line behind start.sh --cluster and stop.sh."""
import argparse
import os
import signal
import sys
from pathlib import Path

from cluster.cluster import Cluster, StartFailed
from cluster.ports import DEFAULT_BASE, DEFAULT_NGINX, NODES_MAX, SPAN, PortTaken, ephemeral_low
from cluster.progress import Progress
from cluster.settings import default_data
from cluster.status import print_status, print_welcome


def count(text):
    number = int(text)
    if not 1 <= number <= NODES_MAX:
        raise argparse.ArgumentTypeError(f"1 to {NODES_MAX}")
    return number


def base(text):
    number = int(text)
    if not 1024 <= number <= 64000:
        raise argparse.ArgumentTypeError("1024 to 64000")
    return number


def parse(arguments):
    data = {"type": Path, "default": default_data(), "metavar": "DIR",
            "help": "where everything is kept (default %(default)s)"}
    parser = argparse.ArgumentParser(prog="cluster")
    actions = parser.add_subparsers(dest="action", required=True)

    start = actions.add_parser(
        "start", prog="./start.sh --cluster", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Starts what is not running of a whole cluster on this machine, in the background, and waits\n"
                    "until all of it is well: NGINX, the API processes, Redis Cluster (6), HAProxy, RabbitMQ (3),\n"
                    "the workers, and CockroachDB (3) when 'cockroach' is installed, else PostgreSQL. Data, ports\n"
                    "and passwords of an earlier start are kept.",
        epilog="examples:\n"
               "  ./start.sh --cluster                          on http://127.0.0.1:8000\n"
               "  ./start.sh --cluster --status                 what runs, how much memory it takes, how it is\n"
               "  ./start.sh --cluster --port 9000 --apis 5\n"
               "  ./start.sh --cluster --only redis,rabbitmq    some tiers, or components by name (redis-3)\n"
               "  ./stop.sh                                     the end; see ./stop.sh --help\n"
               "docs/cluster.md says more.")
    start.add_argument("--data", **data)
    start.add_argument("--port", type=base, metavar="N", help=f"port of NGINX (default {DEFAULT_NGINX})")
    start.add_argument("--port-base", type=base, metavar="N",
                       help=f"all other ports are this and up to 999 more (default {DEFAULT_BASE})")
    start.add_argument("--apis", type=count, metavar="N", help="API processes (default 3)")
    start.add_argument("--workers", type=count, metavar="N", help="workers (default 3)")
    start.add_argument("--only", metavar="LIST", help="only these tiers or components, separated by commas")
    start.add_argument("--check-options", action="store_true", help=argparse.SUPPRESS)  # for start.sh, before it builds
    start.add_argument("--rolling-restart", action="store_true",
                       help="restart the workers and the API processes of a running cluster one by one, with the program\n"
                            "as it is now, without a failed request")
    start.add_argument("--status", action="store_true",
                       help="show the state and start nothing; exit code 1 when something is unwell")

    stop = actions.add_parser(
        "stop", prog="./stop.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Stops a cluster that ./start.sh --cluster started, or some components of it. Only processes that\n"
                    "it started are touched. The data stays.",
        epilog="examples:\n  ./stop.sh\n  ./stop.sh api-2 redis       one API process and all of Redis\n"
               "  ./stop.sh --wipe            and removes data, logs and passwords")
    stop.add_argument("components", nargs="*", metavar="component", help="tiers or components by name (default: all)")
    stop.add_argument("--data", **data)
    stop.add_argument("--wipe", action="store_true", help="afterwards remove the whole data directory")
    return parser.parse_args(arguments)


def fail(text):
    print(f"error: {text}", file=sys.stderr)
    return 1


def start(options):
    names = options.only.split(",") if options.only else []
    if options.status:
        cluster = Cluster.load(options.data)
        if cluster is None:
            return fail(f"no cluster was ever started in {options.data}")
        return 0 if print_status(cluster.select(names)) else 1
    if options.rolling_restart:
        return restart(options)
    cluster = Cluster.make(options.data, port=options.port, port_base=options.port_base,
                           apis=options.apis, workers=options.workers)
    wanted = {part.name for part in cluster.select(names)}
    if options.check_options:
        return 0
    if cluster.settings.ports.base + SPAN > ephemeral_low():
        print(f"warning: ports from {ephemeral_low()} on may be taken by outgoing connections; "
              "choose a lower --port-base", file=sys.stderr)
    try:
        with Progress(progress_rows(cluster, wanted)) as progress:
            cluster.start(*names, notify=progress)
    except StartFailed as failed:
        return explain(failed, options.data)
    print_welcome(cluster)
    return 0


def restart(options):
    cluster = Cluster.load(options.data)
    if cluster is None:
        return fail(f"no cluster was ever started in {options.data}")
    if options.only or len(cluster.tiers["api"].components) < 2 or len(cluster.tiers["worker"].components) < 2:
        return fail("--rolling-restart goes with a whole cluster that has at least two API processes and two workers")
    if options.check_options:
        return 0
    rows = {"migrate": ["migrate"], **{tier: [part.name for part in cluster.tiers[tier].components] for tier in ("worker", "api")}}
    try:
        with Progress(rows) as progress:
            cluster.restart_rolling(notify=progress)
    except StartFailed as failed:
        return explain(failed, options.data)
    return 0


def progress_rows(cluster, wanted):
    """{tier: [component, …]} in the order of the start, with the one step that is no component."""
    rows = {}
    for key, tier in cluster.tiers.items():
        parts = [part.name for part in tier.components if part.name in wanted]
        if parts and key in ("api", "worker"):
            rows.setdefault("migrate", ["migrate"])
        if parts:
            rows[tier.name] = parts
    return rows


def explain(failed, data):
    """What broke, what it said itself, and what to do."""
    for failure in failed.failures:
        print(f"\nerror: {failure}", file=sys.stderr)
        if getattr(failure, "log_tail", None):
            print(f"The last lines of {failure.log}:", file=sys.stderr)
            print(*(f"  | {line}" for line in failure.log_tail), sep="\n", file=sys.stderr)
    print("\nWhat did start keeps running. Mend the cause and run the same command again: it goes on from here.\n"
          f"Logs are in {data}/logs. ./stop.sh ends everything; ./stop.sh --wipe forgets everything, data included.",
          file=sys.stderr)
    return 1


def tell_stopped(name, state, _detail=""):
    if state == "stopped":
        sys.stdout.write(f"  {name}: {state}\n")  # one write: several threads say it at once
        sys.stdout.flush()


def stop(options):
    if options.wipe and options.components:
        return fail("--wipe removes everything, so it can't go with single components")
    cluster = Cluster.load(options.data)
    if cluster is None:
        print(f"no cluster was ever started in {options.data}")
        return 0
    cluster.stop(*options.components, notify=tell_stopped)
    if options.wipe:
        cluster.wipe()
        print(f"removed {options.data}")
    return 0


def main(arguments):
    options = parse(arguments)
    try:
        return {"start": start, "stop": stop}[options.action](options)
    except KeyboardInterrupt:
        print("\ninterrupted: what was started keeps running; ./stop.sh ends it", file=sys.stderr)
        sys.stdout.flush()
        os._exit(128 + signal.SIGINT)  # threads may still wait for a server; nothing of theirs needs an end
    except PortTaken as taken:
        return fail(f"{taken}\nNothing was started. Stop those programs, or choose other ports with --port and "
                    "--port-base.")
    except (KeyError, ValueError, OSError, RuntimeError) as error:
        return fail(error.args[0] if isinstance(error, KeyError) else error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
