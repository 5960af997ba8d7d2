#!/bin/sh
# Runs a command in a mount namespace of its own, in which nothing is mounted below dist/. debootstrap
# mounts /proc in the root that it makes: where it is killed, that must not stay, for the next run's
# rm -rf to walk into.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2016 # for the inner shell
exec unshare --mount sh -euc '
	awk -v dist="$PWD/dist/" "index(\$5, dist) == 1 { print \$5 }" /proc/self/mountinfo |
		sort -r | xargs --no-run-if-empty umount
	exec "$@"' sh "$@"
