#!/bin/sh
# Debian's cloud kernels, unpacked under dist/vm: nothing is installed, and the
# machine's own lists of packages stay as they are. The mirror is the machine's.
set -eu
cd "$(dirname "$0")/../.."
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fetch() { # NAME SUITE PACKAGE: the newest image of PACKAGE's kind
	name=$1 suite=$2 package=$3
	home=$PWD/dist/vm/$name
	[ ! -e "$home/vmlinuz" ] || return 0
	rm -rf "$home"
	mkdir -p "$home/lists/partial" "$home/cache/archives/partial" "$home/root"
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
	[ -n "$mirror" ] || { echo "nspin: kernels: apt has no Debian mirror configured" >&2; exit 1; }
	# A suite that is no longer updated keeps its last Release file, past its date.
	echo "deb [signed-by=$keyring check-valid-until=no] $mirror $suite main" >"$home/sources.list"
	apt() {
		apt-get -q -o Dir::Etc::SourceList="$home/sources.list" -o Dir::Etc::SourceParts=/dev/null \
			-o Dir::State::Lists="$home/lists" -o Dir::Cache="$home/cache" -o APT::Sandbox::User=root "$@"
	}
	apt update
	image=$(apt-cache -o Dir::Etc::SourceList="$home/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$home/lists" -o Dir::Cache="$home/cache" depends "$package" |
		sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
	[ -n "$image" ] || { echo "nspin: kernels: $suite has no $package" >&2; exit 1; }
	(cd "$home" && apt download "$image")
	dpkg-deb -x "$home"/*.deb "$home/root"
	find "$home/root" -name 'overlay.ko*' -exec cp '{}' "$home/" ';'
	cp "$home"/root/boot/vmlinuz-* "$home/vmlinuz"
	rm -rf "$home/root" "$home/lists" "$home/cache" "$home"/*.deb
}

fetch 5.10 bullseye linux-image-cloud-amd64
fetch 6.1 bookworm linux-image-cloud-amd64
fetch 6.12 trixie linux-image-cloud-amd64
