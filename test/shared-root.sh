#!/bin/sh
# Runs a command in a mount namespace of its own whose / is shared, as systemd
# makes it on a host: what the command mounts stays there. Process 1 is in it
# too, and so are all that /proc shows; the shell is that, and reaps.
[ "$(id -u)" -eq 0 ] || {
	echo "nspin: mounts need root: run this with sudo" >&2
	exit 1
}
exec unshare --mount --pid --fork --kill-child --mount-proc sh -c 'mount --make-rshared / && "$@"' sh "$@"
