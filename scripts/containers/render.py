"""Configuration and secrets of every service, as files that Compose mounts."""
import os

from cluster import templates
from cluster.armazem import write_config
from cluster.nginx import BODY_MAX
from cluster.rabbitmq import VHOST, password_hash
from cluster.redis import sha256
from cluster.settings import write_private
from containers.layout import COCKROACH, RABBITMQ, REDIS

EVERYWHERE = "0.0.0.0"
AMQP_PORT, SQL_PORT, STATS_PORT = 5672, 5432, 8404
NOBODY_TO_BECOME = "# one unprivileged user from the beginning"
# Shorter than --drain: no connection of NGINX's is closed under a write that has just been sent.
DRAIN, API_KEEPALIVE = "6s", "    keepalive_timeout 2s;\n    keepalive_time 10s;"


def render(deployment):
    _armazem(deployment)
    _nginx(deployment)
    _haproxy(deployment)
    for name in REDIS:
        _redis(deployment, name)
    for name in RABBITMQ:
        _rabbitmq(deployment, name)
    {"postgres": _postgres, "cockroach": _cockroach}[deployment.choices.store](deployment)
    _own(deployment)


def _config(deployment, service):
    return deployment.directory(f"config/{service}")


def _redis_addresses(deployment):
    return [deployment.address(141 + at) for at in range(len(REDIS))]


def _rabbitmq_addresses(deployment):
    return [deployment.address(151 + at) for at in range(len(RABBITMQ))]


def _balancer(deployment):
    """HAProxy by its address: where it is away, Docker's resolver keeps everybody who asks for its name waiting."""
    return deployment.address(133)


def _store_url(deployment):
    name = deployment.choices.store
    url = f"postgres://armazem:{deployment.secret(f'{name}-armazem')}@{_balancer(deployment)}:{SQL_PORT}/armazem"
    return url + ("?sslmode=verify-full&sslrootcert=/etc/cockroach/ca.crt" if name == "cockroach" else "")


def _amqp(deployment, user, hosts):
    return f"amqp://{user}:{deployment.secret('rabbitmq-' + user.removeprefix('armazem-'))}@{hosts}/{VHOST}"


def _armazem(deployment):
    deployment.directory("cockroach/ca")
    hosts = ",".join(f"{address}:6379" for address in _redis_addresses(deployment))
    cache = f"redis://armazem:{deployment.secret('redis-armazem')}@{hosts}"
    common = dict(store=_store_url(deployment), cache=cache, queue=_amqp(deployment, "armazem", f"{_balancer(deployment)}:{AMQP_PORT}"),
                  listen=EVERYWHERE, port=8000)
    # Only NGINX, in the network between them, reaches the APIs.
    write_config(_config(deployment, "api") / "armazem.toml", **common, drain=DRAIN, **{"without-keys": "true"})
    write_config(_config(deployment, "worker") / "armazem.toml", **common)
    brokers = ",".join(f"{address}:{AMQP_PORT}" for address in _rabbitmq_addresses(deployment))
    write_config(_config(deployment, "migrate") / "armazem.toml", store=_store_url(deployment),
                 queue=_amqp(deployment, "armazem-admin", brokers))


def _nginx(deployment):
    home = _config(deployment, "nginx")
    templates.render("nginx/nginx.conf.in", home / "nginx.conf", LISTEN=EVERYWHERE, PORT=8000, DIRECTORY="/tmp",
                     PRIVILEGES=NOBODY_TO_BECOME, BODY_MAX=BODY_MAX, FILES_MAX=16384, ACCESS_LOG="/dev/stdout",
                     API_SERVERS=f"    server {deployment.address(5)}:8000 max_fails=0;", API_KEEPALIVE=API_KEEPALIVE)
    templates.render("nginx/problems.conf.in", home / "problems.conf")


def _haproxy(deployment):
    brokers = _rabbitmq_addresses(deployment)
    if deployment.choices.store == "postgres":
        check = "  option pgsql-check user haproxy"
        servers = [f"  server postgres {deployment.address(161)}:5432 check"]
    else:
        check = "  option httpchk GET /health?ready=1"
        servers = [f"  server {name} {deployment.address(171 + at)}:26257 check port 8080 check-ssl verify required "
                   "ca-file /etc/cockroach/ca.crt" for at, name in enumerate(COCKROACH)]
    base = templates.text(
        "haproxy/haproxy.cfg.in", LISTEN=EVERYWHERE, PRIVILEGES=f"  {NOBODY_TO_BECOME}", AMQP_PORT=AMQP_PORT, SQL_PORT=SQL_PORT,
        STATS_PORT=STATS_PORT, SQL_CHECK=check, SQL_SERVERS="\n".join(servers),
        AMQP_SERVERS="\n".join(f"  server {name} {address}:5672 check" for name, address in zip(RABBITMQ, brokers)))
    more = templates.text(
        "haproxy/containers.cfg.in", LISTEN=EVERYWHERE,
        CONSOLE_SERVERS="\n".join(f"  server {name} {address}:15672 check" for name, address in zip(RABBITMQ, brokers)))
    write_private(_config(deployment, "haproxy") / "haproxy.cfg", base + more)


def _redis(deployment, name):
    deployment.directory(name)
    secret = deployment.secret
    templates.render(
        "redis/redis.conf.in", _config(deployment, name) / "redis.conf", LISTEN=EVERYWHERE, PORT=6379, BUS_PORT=16379,
        ANNOUNCE=deployment.address(140 + int(name[-1])), DIRECTORY="/data", MAXMEMORY="256mb",
        APP_SHA256=sha256(secret("redis-armazem")), OPERATOR_SHA256=sha256(secret("redis-operator")),
        REPLICATION_SHA256=sha256(secret("redis-replication")), REPLICATION_PASSWORD=secret("redis-replication"))


def _rabbitmq(deployment, name):
    home, config = deployment.directory(name), _config(deployment, name)
    cookie = home / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, deployment.secret("erlang-cookie"))
        cookie.chmod(0o400)
    peers = [RABBITMQ[0]] if name != RABBITMQ[0] else []
    peers += [name] if peers else []
    templates.render(
        "rabbitmq/rabbitmq.conf.in", config / "rabbitmq.conf", LISTEN=EVERYWHERE, PORT=AMQP_PORT, MANAGEMENT_PORT=15672,
        DEFINITIONS="/etc/armazem/definitions.json", MEMORY_LIMIT="600MB",
        PEERS="\n".join(f"cluster_formation.classic_config.nodes.{at} = rabbit@{peer}" for at, peer in enumerate(peers, 1)))
    templates.render("rabbitmq/advanced.config.in", config / "advanced.config")
    templates.render("rabbitmq/enabled_plugins.in", config / "enabled_plugins")
    templates.render(
        "rabbitmq/definitions.json.in", config / "definitions.json",
        **{f"{user}_HASH": password_hash(deployment.secret(f"rabbitmq-{user.lower()}")) for user in ("OPERATOR", "ADMIN", "ARMAZEM")})


def _postgres(deployment):
    deployment.directory("postgres")
    deployment.secret("postgres-operator")
    config = _config(deployment, "postgres")
    templates.render("postgres/postgresql.conf.in", config / "postgresql.conf", LISTEN="*", PORT=5432)
    templates.render("postgres/roles.sql.in", config / "roles.sql", PASSWORD=deployment.secret("postgres-armazem"))


def _cockroach(deployment):
    for name in ("cockroach/certs", *COCKROACH):
        deployment.directory(name)
    deployment.secret("postgres-operator")  # Compose wants every secret's file to be there
    templates.render("cockroach/roles.sql.in", _config(deployment, "cockroach") / "roles.sql",
                     PASSWORD=deployment.secret("cockroach-armazem"))


def _own(deployment):
    """Root's containers are somebody else, who must be able to read what is his."""
    if os.geteuid() != 0:
        return
    user, group = deployment.user()
    for name in ("config", "secrets", "cockroach", *deployment.services()):
        top = deployment.data / name
        if not top.exists():
            continue
        os.chown(top, user, group)
        for directory, directories, files in os.walk(top):
            for entry in (*directories, *files):
                os.chown(os.path.join(directory, entry), user, group)
