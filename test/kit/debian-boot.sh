#!/bin/sh
# Boots the host NAME from dist/ROOT: Debian with systemd as PID 1, in a container whose / is shared
# as on a real host. One that has been shut down boots again from the same disk, with
# another /run: podman keeps what is written over --rootfs until it removes the container.
set -eu
cd "$(dirname "$0")/../.."
name=$1 root=$PWD/dist/$2
podman() { command podman --runtime runc --cgroup-manager cgroupfs "$@"; }
if podman container exists "$name"; then
	podman start "$name" >/dev/null
else
	# tmpfs: overlayfs takes no upper directory on overlayfs. /etc/hostname is a mount of
	# podman's that no host has.
	podman run --detach --name "$name" --privileged --network none --no-hosts --systemd always \
		--ulimit nofile=20000:20000 --ulimit nproc=30000:30000 \
		--tmpfs /var/lib/containerd --tmpfs /var/lib/snapshotter \
		--volume "$PWD:/nspin:ro" --rootfs "$root:O" \
		sh -c 'mount --make-rshared / && umount /etc/hostname && exec /lib/systemd/systemd' >/dev/null
fi
booted='until state=$(systemctl is-system-running --wait 2>/dev/null); [ "$state" = running ] || [ "$state" = degraded ]; do sleep 0.1; done'
podman exec "$name" timeout 60 sh -c "$booted" || { podman logs "$name" >&2; exit 1; }
