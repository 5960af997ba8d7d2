#!/bin/sh
# Runs a command in a mount namespace of its own whose / is shared, as systemd
# makes it on a host: what the command mounts stays there.
exec unshare --mount sh -c 'mount --make-rshared / && exec "$@"' sh "$@"
