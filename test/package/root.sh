#!/bin/sh
# A Debian as a user has it, under dist/package/SUITE: with systemd, man and three shells, and
# nothing of nspin's. The mirror is the machine's.
set -eu
cd "$(dirname "$0")/../.."
suite=$1
root=$PWD/dist/package/$suite
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
packages=systemd-sysv,dbus,iproute2,sudo,man-db,bash-completion,zsh,fish,rpm
! cmp --silent test/package/root.sh "$root/etc/nspin-package" || exit 0
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
[ -n "$mirror" ] || { echo "nspin: package: apt has no Debian mirror configured" >&2; exit 1; }
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase --keyring="$keyring" --include="$packages" "$suite" "$root" "$mirror"
# What would reach for the machine below.
chroot "$root" systemctl mask systemd-sysctl systemd-binfmt systemd-modules-load systemd-logind \
	proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
	systemd-udevd systemd-udev-trigger systemd-udevd-control.socket systemd-udevd-kernel.socket
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
cp test/package/root.sh "$root/etc/nspin-package"
