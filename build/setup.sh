#!/bin/sh
# What a fresh Debian with npm lacks for LEVEL (build, check, release, demo, test, soak, bench): Bun
# at the pinned version, the locked packages, Debian's packages. As root it
# installs them; else it says which.
set -eu
cd "$(dirname "$0")/.."
level=${1:-build}

# command:package; of both machines' gcc, since launchers for both are in every binary
tools='cc:gcc readelf:binutils'
release='rpmbuild:rpm minisign:minisign'
pages='mandoc:mandoc zsh:zsh fish:fish' # what looks at man pages and completions
case $(uname -m) in
aarch64) other=x86_64-linux-gnu tools="$tools x86_64-linux-gnu-gcc:gcc-x86-64-linux-gnu" headers=linux-libc-dev-amd64-cross ;;
*) other=aarch64-linux-gnu tools="$tools aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu" headers=linux-libc-dev-arm64-cross ;;
esac
case $level in
demo) tools="$tools ip:iproute2 dnsmasq:dnsmasq-base unshare:util-linux" ;;
test) tools="$tools ip:iproute2 dnsmasq:dnsmasq-base strace:strace podman:podman runc:runc crun:crun clang-format:clang-format"
	tools="$tools clang:clang qemu-system-x86_64:qemu-system-x86 qemu-system-aarch64:qemu-system-arm cpio:cpio sudo:sudo setcap:libcap2-bin"
	tools="$tools qemu-aarch64:qemu-user llvm-strip:llvm eu-strip:elfutils prlimit:util-linux debootstrap:debootstrap shellcheck:shellcheck $pages"
	tools="$tools go:golang-go packer:packer ansible-playbook:ansible-core ansible-lint:ansible-lint"
	tools="$tools $release lintian:lintian rpmlint:rpmlint" ;;
release) tools="$tools $release" ;;
check) tools="$tools clang-format:clang-format shellcheck:shellcheck $pages" ;;
soak) tools="$tools ip:iproute2 unshare:util-linux" ;;
bench) tools="$tools ip:iproute2 hyperfine:hyperfine strace:strace go:golang-go runc:runc crun:crun bwrap:bubblewrap"
	tools="$tools unshare:util-linux losetup:mount mkfs.ext4:e2fsprogs" ;;
esac
missing=
for tool in $tools; do
	command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev" # the kernel's headers with it
[ -e "/usr/$other/include/linux/mount.h" ] || missing="$missing $headers"
if [ "$level" = test ]; then
	[ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] || missing="$missing libc6-arm64-cross"
	ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-* >/dev/null 2>&1 ||
		missing="$missing libclang-rt-dev"
	[ -e /usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema ] ||
		missing="$missing golang-github-opencontainers-specs-dev"
fi
if [ -n "$missing" ]; then
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "nspin: setup: install first:$missing" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	# shellcheck disable=SC2086 # a list of packages
	if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
		cat "$log" >&2
		exit 1
	fi
	rm -f "$log"
fi

pinned=$(sed -n 's/.*"bun": "\([0-9.]*\)".*/\1/p' package.json)
PATH=$PWD/node_modules/.bin:$PATH
if [ "$(bun --version 2>/dev/null)" != "$pinned" ]; then
	npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error
fi
bun install --frozen-lockfile --silent
