#!/bin/sh
# Runs a command on a host of its own. Nothing of it stays.
set -eu
cd "$(dirname "$0")/../.."
name=nspin-e2e-$$
podman() { command podman --runtime runc --cgroup-manager cgroupfs "$@"; }
trap 'podman rm --force --time 0 "$name" >/dev/null' EXIT
trap 'exit 143' TERM INT
sh test/kit/debian-boot.sh "$name" e2e/root
podman exec --workdir /nspin "$name" "$@"
