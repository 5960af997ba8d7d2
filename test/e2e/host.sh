#!/bin/sh
# Runs a command on a host of its own: Debian with systemd as PID 1, in a container
# whose / is shared as on a real host, and which is gone afterwards.
set -eu
cd "$(dirname "$0")/../.."
name=nspin-e2e-$$
podman() { command podman --runtime runc --cgroup-manager cgroupfs "$@"; }
trap 'podman rm --force --time 0 "$name" >/dev/null' EXIT
# tmpfs: overlayfs takes no upper directory on overlayfs.
podman run --detach --name "$name" --privileged --network none --no-hosts --systemd always \
	--ulimit nofile=20000:20000 --ulimit nproc=30000:30000 \
	--tmpfs /var/lib/containerd --tmpfs /var/lib/snapshotter \
	--volume "$PWD:/nspin:ro" --rootfs "$PWD/dist/e2e/root:O" \
	sh -c 'mount --make-rshared / && exec /lib/systemd/systemd' >/dev/null
podman exec "$name" sh -c 'until systemctl is-system-running --wait; do case $? in 1) break ;; esac; done' >/dev/null 2>&1
podman exec --workdir /nspin "$name" "$@"
