#!/bin/sh
# By the commands of util-linux: sequence.sh ID PROGRAM [ARG...]. All mounts become
# slaves, so the program's own would not reach the host.
exec unshare --mount --propagation slave sh -c '
	mount --bind "/etc/netns/$1/resolv.conf" /etc/resolv.conf
	net=/run/netns/$1
	shift
	exec nsenter --net="$net" "$@"' sh "$@"
