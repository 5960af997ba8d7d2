#!/bin/sh
# A Debian as a user has it, under dist/package/SUITE: with systemd, man and three shells, and
# nothing of nspin's.
set -eu
cd "$(dirname "$0")/../.."
. test/kit/debian-packages.sh
suite=$1
root=$PWD/dist/package/$suite
stamp=$root/etc/nspin-package
packages=systemd-sysv,dbus,iproute2,sudo,man-db,bash-completion,zsh,fish,rpm
! is_made "$stamp" test/package/root.sh || exit 0
bootstrap "$root" "$suite" "$packages"
mask "$root"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
made "$stamp" test/package/root.sh
