# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The rngtest programs of Debian's two packages. The packages are unpacked into the cache and not installed,
# because Debian would start their daemons. Needs tests/vm/lib.sh.

# shellcheck disable=SC2034,SC2154
rng_tools_debian=$cache/rng-tools/rng-tools-debian/usr/bin/rngtest # 2.x
# shellcheck disable=SC2034
rng_tools5=$cache/rng-tools/rng-tools5/usr/bin/rngtest

unpack_rng_tools() {
	local package
	say "fetching the rngtest programs of Debian, once"
	private_apt "$PWD/apt" "$native" bookworm
	for package in rng-tools-debian rng-tools5; do
		mkdir "$package"
		unpack_packages "$PWD/$package" "$package"
	done
	rm -rf apt
}

fetch_rng_tools() { cached "$cache/rng-tools" unpack_rng_tools; }
