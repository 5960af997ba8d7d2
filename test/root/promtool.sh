#!/bin/sh
# Debian's promtool under dist/promtool. Unpacked only: the package would start a server.
set -eu
cd "$(dirname "$0")/../.."
home=$PWD/dist/promtool
[ ! -e "$home/usr" ] || exit 0
rm -rf "$home" "$home.part"
mkdir -p "$home.part"
(cd "$home.part" && apt-get -q -o APT::Sandbox::User=root download prometheus)
dpkg-deb -x "$home.part"/prometheus_*.deb "$home.part"
find "$home.part" -type f ! -name promtool -delete
mv "$home.part" "$home"
