"""The command line behind start.sh --docker and stop.sh --docker."""
import argparse
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from cluster.progress import Progress
from cluster.settings import ROOT, write_private
from containers import compose, render
from containers.layout import COCKROACH, ONE_SHOTS, RABBITMQ, REDIS, Deployment, default_data, free_net

START_SECONDS = 600
# Compose gives up as soon as one container has ended that others wait for, though Docker starts it again.
ATTEMPTS = 5


def port(text):
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("1 to 65535")
    return number


def count(text):
    number = int(text)
    if not 1 <= number <= 24:
        raise argparse.ArgumentTypeError("1 to 24")
    return number


def parse(arguments):
    parser = argparse.ArgumentParser(prog="containers")
    actions = parser.add_subparsers(dest="action", required=True)
    data = {"type": Path, "default": default_data(), "metavar": "DIR", "help": "where everything is kept (default %(default)s)"}
    start = actions.add_parser(
        "start", prog="./start.sh --docker", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Starts the whole system in containers and waits until all of it is healthy: NGINX, API, workers,\n"
                    "Redis Cluster (6), RabbitMQ (3), HAProxy, and CockroachDB (3) or PostgreSQL.",
        epilog="examples:\n"
               "  ./start.sh --docker                       on http://127.0.0.1:8000\n"
               "  ./start.sh --docker --store postgres      PostgreSQL in CockroachDB's place\n"
               "  ./start.sh --docker --api 5 --workers 5   again with other numbers: scales what runs\n"
               "  ./stop.sh --docker                        the end; --wipe forgets the data, too\n"
               "docs/containers.md says more.")
    start.add_argument("--data", **data)
    start.add_argument("--store", choices=["cockroach", "postgres"], help="the SQL store (default cockroach)")
    start.add_argument("--api", dest="apis", type=count, metavar="N", help="API containers (default 3)")
    start.add_argument("--workers", type=count, metavar="N", help="worker containers (default 3)")
    start.add_argument("--port", type=port, metavar="N", help="port of the API on 127.0.0.1 (default 8000)")
    start.add_argument("--rabbitmq-console", type=port, metavar="N", help="port of RabbitMQ's console (default 15672)")
    start.add_argument("--cockroach-console", type=port, metavar="N", help="port of CockroachDB's console (default 8080)")
    start.add_argument("--images", metavar="FILE", help="other images than those of deploy/images.env")
    start.add_argument("--image", metavar="NAME", help="a ready image of armazem; without it one is built")
    stop = actions.add_parser("stop", prog="./stop.sh --docker", description="Stops the containers; their data stays.")
    stop.add_argument("--data", **data)
    stop.add_argument("--wipe", action="store_true", help="remove the data, the secrets and the image of armazem, too")
    return parser.parse_args(arguments)


def published(choices):
    """{port: option} of what is published on 127.0.0.1."""
    ports = {choices.port: "--port", choices.rabbitmq_console: "--rabbitmq-console"}
    if choices.store == "cockroach":
        ports[choices.cockroach_console] = "--cockroach-console"
    return ports


def check_ports(deployment, running):
    if running:
        return
    for number, option in published(deployment.choices).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError as error:
                raise compose.Unusable(f"port {number} cannot be used: {error.strerror}. Choose another one with {option} N.") from None


def get_images(deployment):
    unwanted = {"postgres": "COCKROACH_IMAGE", "cockroach": "POSTGRES_IMAGE"}[deployment.choices.store]
    for variable, name in deployment.images().items():
        if variable in (unwanted, "BASE_IMAGE") or compose.has_image(name):
            continue
        print(f"  pulling {name} …", flush=True)
        if why := compose.pull(name):
            raise compose.Unusable(f"the image {name} is not here and cannot be pulled: {why}\n"
                                   "Other images can be named in a file like deploy/images.env: --images FILE.")


def build_image(deployment, ready):
    name = deployment.variables()["ARMAZEM_IMAGE"]
    if ready:
        subprocess.run(["docker", "tag", ready, name], check=True, timeout=60)
        return
    version = next(line.split()[2] for line in (ROOT / "CMakeLists.txt").read_text().splitlines() if line.startswith("project("))
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip() or "unknown"
    print("  building the image of armazem (some minutes the first time) …", flush=True)
    done = subprocess.run(["docker", "build", "-q", "-t", name, "-f", str(ROOT / "deploy/Dockerfile"),
                           "--build-arg", f"BASE={deployment.images()['BASE_IMAGE']}", "--build-arg", f"VERSION={version}",
                           "--build-arg", f"COMMIT={commit}", str(ROOT)], timeout=3600)
    if done.returncode:
        raise compose.Unusable("the image of armazem could not be built: see above")


def rows(deployment):
    """{tier: [container's service, …]} for the progress, in the order of the start."""
    store = {"postgres": ["postgres"], "cockroach": COCKROACH}[deployment.choices.store]
    return {"redis": REDIS, "rabbitmq": RABBITMQ, deployment.choices.store: store, "haproxy": ["haproxy"], "migrate": ["migrate"],
            "api": [f"api-{at + 1}" for at in range(deployment.choices.apis)],
            "worker": [f"worker-{at + 1}" for at in range(deployment.choices.workers)], "nginx": ["nginx"]}


def states(containers):
    """{row: 'ready' | 'starting' | why it failed}; the containers of a scaled service are numbered in their order."""
    found, numbers = {}, {}
    for one in sorted(containers, key=lambda one: one["name"]):
        service = one["service"]
        if service in ("api", "worker"):
            numbers[service] = numbers.get(service, 0) + 1
            service = f"{service}-{numbers[service]}"
        if one["service"] in ONE_SHOTS:
            state = "ready" if one["state"] == "exited" and one["exit"] == 0 else "starting"
            if one["state"] == "exited" and one["exit"] != 0:
                state = f"ended with exit code {one['exit']}"
        else:
            state = "ready" if one["state"] == "running" and one["health"] in ("healthy", None) else "starting"
        found[service] = state
    return found


def begin(deployment, composer):
    choices = deployment.choices
    return subprocess.Popen([*composer.program, "up", "-d", "--scale", f"api={choices.apis}", "--scale", f"worker={choices.workers}"],
                            env=composer.environment(), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def bring_up(deployment, composer):
    """Shows what Compose does until every service is as it should be; raises when it is not in time."""
    wanted = rows(deployment)
    starter, attempts = begin(deployment, composer), 1
    seen, end = {}, time.monotonic() + START_SECONDS
    with Progress(wanted) as progress:
        while True:
            now = states(composer.containers())
            for part in (part for parts in wanted.values() for part in parts):
                state = now.get(part)
                if state and state != seen.get(part):
                    seen[part] = state
                    progress(part, state if state in ("ready", "starting") else "failed")
            if starter.poll() not in (None, 0):
                said = starter.stderr.read().strip()
                if attempts == ATTEMPTS or not ("is unhealthy" in said or "dependency failed to start" in said):
                    raise RuntimeError(f"Compose failed:\n{said[-2000:]}")
                starter, attempts = begin(deployment, composer), attempts + 1
            missing = [part for parts in wanted.values() for part in parts if now.get(part) != "ready"]
            if not missing and starter.poll() == 0:
                return
            if time.monotonic() > end:
                raise RuntimeError(f"not healthy within {START_SECONDS} s: {', '.join(missing)}\n"
                                   f"docker ps -a --filter label=com.docker.compose.project={deployment.project}, and docker logs, tell more.")
            time.sleep(0.5)


def welcome(deployment):
    choices, secrets = deployment.choices, deployment.data / "secrets"
    base = f"http://127.0.0.1:{choices.port}"
    lines = [("API", f"{base}/store", ""), ("Swagger UI", f"{base}/swagger-ui/index.html", ""), ("Dashboard", f"{base}/", ""),
             ("RabbitMQ", f"http://127.0.0.1:{choices.rabbitmq_console}", f"user operator, password: cat {secrets}/rabbitmq-operator")]
    if choices.store == "cockroach":
        lines.append(("CockroachDB", f"https://127.0.0.1:{choices.cockroach_console}", f"user armazem, password: cat {secrets}/cockroach-armazem"))
    print(f"\n  Armazém in containers, {choices.apis} APIs and {choices.workers} workers")
    for name, url, note in lines:
        print(f"    {name:<12} {url}" + (f"\n{'':<17}{note}" if note else ""))
    print(f"\n  Try it:\n    curl -X PUT {base}/store -H 'Content-Type: application/json' -d '{{\"key\":\"hello\",\"value\":\"world\"}}'\n"
          f"    curl {base}/store/hello\n\n  ./stop.sh --docker ends it; the data stays in {deployment.data}.")


def start(options):
    compose.engine()
    deployment = Deployment.make(options.data, store=options.store, apis=options.apis, workers=options.workers, port=options.port,
                                 rabbitmq_console=options.rabbitmq_console, cockroach_console=options.cockroach_console,
                                 images=options.images and str(Path(options.images).absolute()))
    if not deployment.choices.net:
        deployment.choices.net = free_net()
    composer = compose.Compose(deployment.variables())
    check_ports(deployment, [one for one in composer.containers() if one["state"] == "running"])
    deployment.save()
    get_images(deployment)
    build_image(deployment, options.image)
    render.render(deployment)
    write_private(deployment.data / "compose.env", "".join(f"{name}={value}\n" for name, value in sorted(deployment.variables().items())))
    bring_up(deployment, composer)
    welcome(deployment)
    return 0


def stop(options):
    deployment = Deployment.load(options.data)
    if deployment is None:
        print(f"nothing was ever started in {options.data}")
        return 0
    compose.engine()
    compose.Compose(deployment.variables()).run("down", "--remove-orphans", "--timeout", "60")
    if options.wipe:
        image = deployment.variables()["ARMAZEM_IMAGE"]
        shutil.rmtree(deployment.data)
        if compose.has_image(image):
            subprocess.run(["docker", "image", "rm", image], check=True, stdout=subprocess.DEVNULL, timeout=120)
        print(f"removed {deployment.data} and the image {image}")
    return 0


def main(arguments):
    options = parse(arguments)
    try:
        return {"start": start, "stop": stop}[options.action](options)
    except KeyboardInterrupt:
        print("\ninterrupted: what was started keeps running; ./stop.sh --docker ends it", file=sys.stderr)
        return 130
    except (compose.Unusable, RuntimeError, ValueError, KeyError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
