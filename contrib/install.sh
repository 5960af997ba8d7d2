#!/bin/sh
# What `npm run build` has made, and the units, into the host, or below DESTDIR.
set -eu
cd "$(dirname "$0")/.."
install -D -m 755 dist/nspin "${DESTDIR:-}/usr/local/bin/nspin"
for file in units/*; do
	case $file in
	*.*) install -D -m 644 "$file" "${DESTDIR:-}/usr/local/lib/systemd/system/${file##*/}" ;;
	*) install -D -m 755 "$file" "${DESTDIR:-}/usr/lib/nspin/${file##*/}" ;; # what a unit executes
	esac
done
