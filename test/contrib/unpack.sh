#!/bin/sh
# python3-apt, by which Ansible installs a .deb, for the Debian of test/kit/debian-root.sh: under
# dist/contrib.
set -eu
cd "$(dirname "$0")/../.."
contrib=$PWD/dist/contrib
[ ! -e "$contrib/apt" ] || exit 0
. test/kit/debian-packages.sh
unpack "$contrib/packages" "$(dpkg --print-architecture)" trixie python3-apt
cp -r "$contrib"/packages/root/usr/lib/python3/dist-packages/apt* "$contrib"
rm -r "$contrib/packages"
