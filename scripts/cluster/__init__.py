"""Starts, watches and stops a whole Armazém cluster natively on one machine.

Reading order: cluster (the whole), component (what all parts have in common), daemon and processes (supervision),
settings, ports and templates (what they run with), then one file for each kind of server. docs/cluster.md is for users.
"""
from cluster.cluster import Cluster, StartFailed
from cluster.component import ComponentFailed

__all__ = ["Cluster", "ComponentFailed", "StartFailed"]
