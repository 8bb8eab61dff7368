#!/bin/sh
# At the first start: a certificate authority of this cluster alone, one certificate for the nodes, one for root.
# /certs is for the nodes; /ca gets only what clients need.
set -eu
make() { file=$1; shift; [ -e "/certs/$file" ] || cockroach cert "$@" --certs-dir=/certs --ca-key=/certs/ca.key; }
make ca.crt create-ca
make node.crt create-node localhost 127.0.0.1 cockroach-1 cockroach-2 cockroach-3 haproxy "$1"
make client.root.crt create-client root
cp /certs/ca.crt /ca/ca.crt
