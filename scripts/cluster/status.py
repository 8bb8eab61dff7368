"""The table of `./start.sh --cluster --status`, and what is told after a start."""
from concurrent.futures import ThreadPoolExecutor

from cluster import processes


def rows_of(parts):
    """[(name, state, pid, memory in bytes, complaint or None)]; all are asked at once, each answers within seconds."""
    def row(part):
        state, complaint = part.health()
        identity = part.daemon.identity()
        if state == "stopped":
            return part.name, state, None, 0, complaint
        return part.name, state, identity.pid, processes.memory_of(identity), complaint
    with ThreadPoolExecutor(max_workers=len(parts) or 1) as pool:
        return list(pool.map(row, parts))


def print_status(parts):
    """True when all are well."""
    print(f"{'component':<14} {'state':<8} {'pid':>7} {'memory':>9}  {'ports':<18} health")
    rows = rows_of(parts)
    for part, (name, state, pid, memory, complaint) in zip(parts, rows):
        ports = ",".join(str(port) for port in part.listens())
        size = f"{memory / 2**20:.1f} MiB" if pid else "-"
        print(f"{name:<14} {state:<8} {pid or '-':>7} {size:>9}  {ports:<18} {complaint or 'ok'}")
    unwell = [row[0] for row in rows if row[4]]
    total = sum(row[3] for row in rows) / 2**20
    not_well = f"; not: {', '.join(unwell)}" if unwell else ""
    print(f"{len(rows) - len(unwell)} of {len(rows)} are well; {total:.0f} MiB{not_well}")
    return not unwell


def print_welcome(cluster):
    settings = cluster.settings
    ports, secrets = settings.ports, settings.data / "secrets"
    url = f"http://127.0.0.1:{ports.of('nginx')}"
    print("\n  Armazém, as a cluster")
    if cluster.is_running("nginx"):
        print(f"    API          {url}/store\n    Swagger UI   {url}/swagger-ui/index.html\n    Dashboard    {url}/")
    if cluster.is_running("rabbitmq-1"):
        print(f"    RabbitMQ     http://127.0.0.1:{ports.of('rabbitmq-management', 1)}   user operator, "
              f"password: cat {secrets / 'rabbitmq-operator'}")
    if cluster.is_running("haproxy"):
        print(f"    HAProxy      http://127.0.0.1:{ports.of('haproxy-stats')}")
    print(f"    Data, logs   {settings.data}   (passwords: {secrets})")
    option = "" if settings.is_default() else f" --data {settings.data}"
    print(f"""
  Look at it:    ./start.sh --cluster --status{option}
  Break a part:  ./stop.sh redis-1{option}       heal it: ./start.sh --cluster{option}
  Stop it:       ./stop.sh{option}               the data stays; --wipe removes it too
""")
