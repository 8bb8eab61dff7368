"""A whole cluster with real servers, shared by all tests of this folder; each test heals what it broke.

ARMAZEM_CLUSTER names the directory of one that runs already (./test.sh starts one for several stages).
"""
import os

import pytest

from cluster import Cluster
from support.cluster_view import ClusterView
from support.scratch import scratch_directory


@pytest.fixture(scope="session")
def running_cluster():
    given = os.environ.get("ARMAZEM_CLUSTER")
    if given:
        found = Cluster.load(given)
        assert found is not None, f"ARMAZEM_CLUSTER={given}: no cluster was ever started there"
        yield found
        return
    with scratch_directory() as path:
        made = Cluster.make(path / "data", free_ports=True, sql="postgres")
        try:
            made.start()
            yield made
        finally:
            made.stop(say=lambda text: None)


@pytest.fixture
def cluster(running_cluster):
    """Well at the begin, and healed at the end whatever the test did."""
    view = ClusterView(running_cluster)
    view.heal()
    yield view
    view.heal()


@pytest.fixture(autouse=True)
def show_figures(capsys):
    """Figures that a test prints stand in the output of every run, not only of failed ones."""
    yield
    text = capsys.readouterr().out
    if text:
        with capsys.disabled():
            print("\n" + text, end="")
