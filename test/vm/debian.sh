#!/bin/sh
# Debian's cloud kernels, and the programs that the cases use, unpacked under
# dist/vm/MACHINE: nothing is installed, and the machine's own lists of packages
# stay as they are. The mirror is the machine's.
set -eu
cd "$(dirname "$0")/../.."
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
[ -n "$mirror" ] || { echo "nspin: vm: apt has no Debian mirror configured" >&2; exit 1; }

unpack() { # HOME ARCHITECTURE SUITE PACKAGE...: with what they depend on, below HOME/root
	home=$1 architecture=$2 suite=$3
	shift 3
	rm -rf "$home"
	mkdir -p "$home/lists/partial" "$home/cache/archives/partial" "$home/root"
	# A suite that is no longer updated keeps its last Release file, past its date.
	echo "deb [signed-by=$keyring check-valid-until=no] $mirror $suite main" >"$home/sources.list"
	apt() {
		"$@" -q -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
			-o Dir::Etc::SourceList="$home/sources.list" -o Dir::Etc::SourceParts=/dev/null \
			-o Dir::State::Lists="$home/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$home/cache" \
			-o Debug::NoLocking=1 -o APT::Sandbox::User=root
	}
	apt apt-get update
	apt apt-get --download-only --no-install-recommends --yes install "$@"
	for package in "$home"/cache/archives/*.deb; do dpkg-deb -x "$package" "$home/root"; done
	rm -rf "$home/lists" "$home/cache" "$home/sources.list"
}

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
kernel x64 amd64 6.12 trixie
programs arm64 arm64
kernel arm64 arm64 6.12 trixie
