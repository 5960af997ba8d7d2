#!/bin/sh
# On the instance that becomes the image: what nspin.pkr.hcl has uploaded, and SHA256 of it.
set -eu
echo "$SHA256  /tmp/nspin.package" | sha256sum --check --strict
if command -v dpkg >/dev/null; then dpkg --install /tmp/nspin.package; else rpm --upgrade --replacepkgs --oldpackage /tmp/nspin.package; fi
rm /tmp/nspin.package
[ ! -e /usr/local/bin/nspin ] || { echo 'nspin: /usr/local/bin/nspin is taken in place of the package: docs/install.md, From by hand to a package' >&2; exit 1; }
nspin doctor
nspin selftest
