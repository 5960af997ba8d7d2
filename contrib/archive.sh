#!/bin/sh
# nspin.tar.gz, to be unpacked in /: the same bytes of the same build.
set -eu
cd "$(dirname "$0")/.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
DESTDIR=$root sh contrib/install.sh
# No directories: theirs are the host's.
(cd "$root" && find usr -type f -print0 | sort -z) |
	tar --directory "$root" --null --files-from - --owner 0 --group 0 --mtime @0 --create |
	gzip --no-name -6 >dist/nspin.tar.gz
sha256sum dist/nspin.tar.gz
