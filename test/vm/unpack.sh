#!/bin/sh
# Debian's cloud kernels, and the programs that the cases use, under dist/vm/MACHINE.
set -eu
cd "$(dirname "$0")/../.."
. test/kit/debian-packages.sh

kernel() { # MACHINE ARCHITECTURE NAME SUITE: its newest
	home=$PWD/dist/vm/$1/$3
	[ ! -e "$home/vmlinuz" ] || return 0
	unpack "$home" "$2" "$4" "linux-image-cloud-$2"
	find "$home/root" -name 'overlay.ko*' -exec cp '{}' "$home/" ';'
	cp "$home"/root/boot/vmlinuz-* "$home/vmlinuz"
	rm -rf "$home/root"
}

programs() { # MACHINE ARCHITECTURE
	home=$PWD/dist/vm/$1/programs
	[ ! -e "$home/root/bin/sh" ] || return 0
	unpack "$home" "$2" bookworm dash coreutils grep kmod mount util-linux
	rm -rf "$home/root/usr/share"
}

programs x64 amd64
kernel x64 amd64 5.10 bullseye
kernel x64 amd64 6.1 bookworm
programs arm64 arm64
kernel arm64 arm64 6.12 trixie
