#!/bin/sh
# A Debian 13 with systemd, containerd, the snapshotters, and what else writes resolv.conf
# and nsswitch.conf, under dist/e2e/root.
# The mirror is the machine's.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD/dist/e2e/root
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
packages=systemd-sysv,dbus,iproute2,dnsmasq-base,docker-registry,openssl,ca-certificates
packages=$packages,containerd,runc,crun,soci-snapshotter,busybox-static
stamp=$root/etc/nspin-e2e
! cmp --silent test/kit/debian-root.sh "$stamp" || exit 0 # another version of this script made another root
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
[ -n "$mirror" ] || { echo "nspin: e2e: apt has no Debian mirror configured" >&2; exit 1; }
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase --keyring="$keyring" --include="$packages" trixie "$root" "$mirror"

in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
install() { in_root apt-get -q -o APT::Sandbox::User=root install -y --no-install-recommends "$@"; }
install cloud-init nscd # debootstrap does not know who provides a virtual package
install network-manager libnss-myhostname
install systemd-resolved libnss-resolve # last: it makes resolv.conf a symbolic link
# Not beside systemd-resolved: the tests install it, and libnss-myhostname again.
mkdir "$root/var/packages"
in_root sh -c 'cd /var/packages && apt-get -q -o APT::Sandbox::User=root download openresolv libnss-myhostname'
sed -i 's/ resolve \[!UNAVAIL=return\]//' "$root/etc/nsswitch.conf" # as on a host without libnss-resolve
# What would reach for the machine below, and daemons that the tests start themselves.
in_root systemctl mask systemd-sysctl systemd-binfmt systemd-modules-load systemd-logind \
	proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
	systemd-udevd systemd-udev-trigger systemd-udevd-control.socket systemd-udevd-kernel.socket
in_root systemctl disable docker-registry containerd nscd NetworkManager NetworkManager-wait-online
touch "$root/etc/cloud/cloud-init.disabled"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root/var/lib/apt/lists"
cp test/kit/debian-root.sh "$stamp"
