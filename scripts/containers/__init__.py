"""The whole system in containers: renders the configuration and secrets that deploy/compose.yaml mounts, and calls Compose.

`./start.sh --docker` and `./stop.sh --docker` are its command line. The templates are those of the native cluster
(scripts/cluster). docs/containers.md describes the result.
"""
