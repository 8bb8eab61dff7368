"""The JMeter plan without its GUI, with a report; see load/run.sh --help."""
import argparse
import sys
import tempfile
from pathlib import Path

import tools


def parse():
    parser = argparse.ArgumentParser(
        prog="load/run.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the JMeter plan load/armazem.jmx against a server or cluster: each user writes a key and reads it\n"
                    "again, without a pause. Writes JMeter's report with charts (report/index.html), a summary (summary.md,\n"
                    "summary.csv), and the course of the run (series.csv, series.svg). Exit code 1 when a request failed.",
        epilog="examples:\n"
               "  load/run.sh                                      300 users against http://127.0.0.1:8000\n"
               "  load/run.sh --users 10 --rampup 1 --loops 20 --port 9000 --out /tmp/run\n"
               "  load/run.sh --document                           starts a cluster of its own, writes docs/load-tests.md\n"
               "docs/load-tests.md says more.")
    for name, default in tools.PARAMETERS.items():
        kind = str if name == "host" else int
        parser.add_argument(f"--{name}", type=kind, default=default, metavar="NAME" if kind is str else "N", help="(default %(default)s)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the results go (default: a new directory in the temporary one)")
    parser.add_argument("--document", action="store_true", help="all measurements of docs/load-tests.md, written into it")
    parser.add_argument("--data", type=Path, metavar="DIR", help="with --document: a cluster that runs already, instead of an own one")
    parser.add_argument("--quick", action="store_true", help="with --document: does it work here at all? Nothing is written")
    return parser.parse_args()


def main():
    options = parse()
    try:
        if options.document:
            import document
            return document.main(options)
        parameters = {name: getattr(options, name) for name in tools.PARAMETERS}
        out = (options.out or Path(tempfile.mkdtemp(prefix="armazem-load-"))).resolve()
        done = tools.jmeter(parameters, out, show=True)
        figures = tools.summarise(done, parameters, out)
    except tools.Failed as failed:
        print(f"load: {failed}", file=sys.stderr)
        return 2
    print(f"\n{(out / 'summary.md').read_text(encoding='utf-8')}\nreport: {out / 'report/index.html'}\nsummary: {out}")
    return 1 if figures["all"]["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
