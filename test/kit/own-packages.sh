#!/bin/sh
# Packages of this machine's own Debian, without what they depend on, under dist/NAME. Unpacked only: their
# installation starts servers, and replaces the machine's resolv.conf.
#   sh test/kit/own-packages.sh NAME PACKAGE...
set -eu
cd "$(dirname "$0")/../.."
home=$PWD/dist/$1
shift
[ ! -e "$home" ] || exit 0
rm -rf "$home.part"
mkdir -p "$home.part"
(cd "$home.part" && apt-get -q -o APT::Sandbox::User=root download "$@")
for package in "$home.part"/*.deb; do dpkg-deb -x "$package" "$home.part"; done
rm "$home.part"/*.deb
mv "$home.part" "$home"
