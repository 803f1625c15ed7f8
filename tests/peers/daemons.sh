# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# The daemons with which hwrngd is compared. They are unpacked into the cache and not installed, because
# Debian would start them. Needs tests/vm/lib.sh.

daemons=$cache/daemons/usr/sbin
daemons_libraries=$cache/daemons/usr/lib/$(gcc -print-multiarch)

unpack_daemons() {
	say "fetching other daemons, once"
	private_apt "$PWD/apt" "$native" bookworm
	unpack_packages "$PWD" rng-tools5 haveged libhavege2 jitterentropy-rngd
	rm -rf apt
}
fetch_daemons() { cached "$cache/daemons" unpack_daemons; }
