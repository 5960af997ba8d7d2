#!/bin/sh
# Debian's systemd-resolved under dist/resolved, with the library of its own
# version. Unpacked only: its installation replaces the machine's resolv.conf.
set -eu
cd "$(dirname "$0")/../.."
home=$PWD/dist/resolved
[ ! -e "$home/usr" ] || exit 0
rm -rf "$home" "$home.part"
mkdir -p "$home.part"
(cd "$home.part" && apt-get -q -o APT::Sandbox::User=root download systemd-resolved libsystemd-shared)
for package in "$home.part"/*.deb; do dpkg-deb -x "$package" "$home.part"; done
rm "$home.part"/*.deb
mv "$home.part" "$home"
