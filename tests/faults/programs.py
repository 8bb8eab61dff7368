"""Where the programs of the fault campaign are: beside the server's binary."""
from pathlib import Path

from cluster.armazem import binary


def program(name):
    path = Path(binary()).parent / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: build the target {name}")
    return str(path)
