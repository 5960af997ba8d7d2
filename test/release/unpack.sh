#!/bin/sh
# What the musl builds load, under dist/musl/MACHINE: Debian's musl, and a libstdc++
# for it, which Debian has not. That is linked from the objects of Debian's own,
# those that the binary asks for. So it shows that the binary starts, under musl's
# ld.so, and not that Alpine's libstdc++ serves as well.
set -eu
cd "$(dirname "$0")/../.."
. test/kit/debian-packages.sh

musl() { # MACHINE ARCHITECTURE CPU CC
	home=$PWD/dist/musl/$1
	gcc=$home/root/usr/lib/gcc/$3-linux-gnu/12
	[ -e "$gcc/libstdc++_pic.a" ] || unpack "$home" "$2" bookworm musl libstdc++-12-pic
	mkdir -p "$home/lib"
	cp "$home/root/lib/$3-linux-musl/libc.so" "$home/lib/ld-musl-$3.so.1"
	asked=$(readelf -WrD "dist/$1-musl/nspin" |
		awk '$5 ~ /^(_Z|__cxa_|__once_|__gxx_|__dynamic_cast)/ { sub(/@.*/, "", $5); print "-Wl,-u," $5 }' |
		grep -vE '__cxa_(finalize|thread_atexit_impl)$' | sort -u) # those two are libc's
	# shellcheck disable=SC2086 # a list of options
	"$4" -shared -nostdlib -Wl,-soname,libstdc++.so.6,--gc-sections,-Bsymbolic $asked \
		"$gcc/crtbeginS.o" test/release/glibc.c "$gcc/libstdc++_pic.a" "$gcc/libgcc_eh.a" "$gcc/libgcc.a" \
		"$gcc/crtendS.o" -o "$home/lib/libstdc++.so.6"
}

musl x64 amd64 x86_64 cc
musl arm64 arm64 aarch64 aarch64-linux-gnu-gcc
