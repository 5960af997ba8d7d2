#!/bin/sh
# On the instance that becomes the image: what nspin.pkr.hcl has uploaded, and SHA256 of it.
set -eu
echo "$SHA256  /tmp/nspin.tar.gz" | sha256sum --check --strict
tar --extract --file /tmp/nspin.tar.gz --directory / --no-overwrite-dir
rm /tmp/nspin.tar.gz
systemctl daemon-reload
nspin doctor
nspin selftest
