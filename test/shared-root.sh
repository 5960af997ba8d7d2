#!/bin/sh
# Runs a command in a mount namespace of its own whose / is shared, as systemd
# makes it on a host: what the command mounts stays there.
[ "$(id -u)" -eq 0 ] || {
	echo "nspin: mounts need root: run this with sudo" >&2
	exit 1
}
exec unshare --mount sh -c 'mount --make-rshared / && exec "$@"' sh "$@"
