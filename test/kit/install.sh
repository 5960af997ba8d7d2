#!/bin/sh
# dist/nspin and the units, onto this host, by hand.
set -eu
cd "$(dirname "$0")/../.."
install -D -m 755 dist/nspin "/usr/local/bin/nspin"
for file in units/*; do
	case $file in
	*.*) install -D -m 644 "$file" "/usr/local/lib/systemd/system/${file##*/}" ;;
	*) install -D -m 755 "$file" "/usr/lib/nspin/${file##*/}" ;; # what a unit executes
	esac
done
