# To be sourced: Debian's packages, unpacked in a directory, or installed in a root of their own. The
# machine's own lists of packages stay as they are. The mirror is the machine's.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

mirror() {
	found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
	[ -n "$found" ] || { echo "nspin: apt has no Debian mirror configured" >&2; return 1; }
	echo "$found"
}

unpack() { # HOME ARCHITECTURE SUITE PACKAGE...: with what they depend on, below HOME/root
	home=$1 architecture=$2 suite=$3
	shift 3
	mirror=$(mirror)
	rm -rf "$home"
	mkdir -p "$home/lists/partial" "$home/cache/archives/partial" "$home/root"
	# A suite that is no longer updated keeps its last Release file, past its date.
	echo "deb [signed-by=$keyring check-valid-until=no] $mirror $suite main" >"$home/sources.list"
	apt() {
		apt-get -q -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
			-o Dir::Etc::SourceList="$home/sources.list" -o Dir::Etc::SourceParts=/dev/null \
			-o Dir::State::Lists="$home/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$home/cache" \
			-o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
	}
	apt update
	apt --download-only --no-install-recommends --yes install "$@"
	for package in "$home"/cache/archives/*.deb; do dpkg-deb -x "$package" "$home/root"; done
	rm -rf "$home/lists" "$home/cache" "$home/sources.list"
}

bootstrap() { # ROOT SUITE PACKAGE,...
	mirror=$(mirror)
	rm -rf "$1"
	mkdir -p "$1"
	debootstrap --variant=minbase --keyring="$keyring" --include="$3" "$2" "$1" "$mirror"
}

mask() { # ROOT: what systemd would reach for the machine below with
	chroot "$1" systemctl mask systemd-sysctl systemd-binfmt systemd-modules-load systemd-logind \
		proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
		systemd-udevd systemd-udev-trigger systemd-udevd-control.socket systemd-udevd-kernel.socket
}

is_made() { # STAMP SCRIPT: another version of the script made another root
	cat test/kit/debian-packages.sh "$2" | cmp --silent - "$1"
}

made() { # STAMP SCRIPT
	cat test/kit/debian-packages.sh "$2" >"$1"
}
