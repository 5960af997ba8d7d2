#!/bin/sh
# A Debian 13 with systemd, containerd, the snapshotters, and what else writes resolv.conf
# and nsswitch.conf, under dist/e2e/root.
set -eu
cd "$(dirname "$0")/../.."
. test/kit/debian-packages.sh
root=$PWD/dist/e2e/root
packages=systemd-sysv,dbus,iproute2,dnsmasq-base,docker-registry,openssl,ca-certificates
packages=$packages,containerd,runc,crun,soci-snapshotter,busybox-static
stamp=$root/etc/nspin-e2e
! is_made "$stamp" test/kit/debian-root.sh || exit 0
bootstrap "$root" trixie "$packages"

in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
install() { in_root apt-get -q -o APT::Sandbox::User=root install -y --no-install-recommends "$@"; }
install cloud-init nscd # debootstrap does not know who provides a virtual package
install network-manager libnss-myhostname
install systemd-resolved libnss-resolve # last: it makes resolv.conf a symbolic link
# Not beside systemd-resolved: the tests install it, and libnss-myhostname again.
mkdir "$root/var/packages"
in_root sh -c 'cd /var/packages && apt-get -q -o APT::Sandbox::User=root download openresolv libnss-myhostname'
sed -i 's/ resolve \[!UNAVAIL=return\]//' "$root/etc/nsswitch.conf" # as on a host without libnss-resolve
mask "$root"
# Daemons that the tests start themselves.
in_root systemctl disable docker-registry containerd nscd NetworkManager NetworkManager-wait-online
touch "$root/etc/cloud/cloud-init.disabled"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root/var/lib/apt/lists"
made "$stamp" test/kit/debian-root.sh
