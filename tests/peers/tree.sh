# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A machine made of files, on which hwrngd runs beside one that is real and feeds nothing of it.

# make_tree DIR: with the CPU's instructions, RDSEED and RDRAND, as sources. False if it has none.
make_tree() {
	mkdir -p "$1"/{dev,etc,proc/self,proc/sys/kernel}
	printf 'flags\t\t:%s\n' "$(grep -m1 '^flags' /proc/cpuinfo | grep -oE ' (rdseed|rdrand)\b' | tr -d '\n')" >"$1/proc/cpuinfo"
	printf 'CapEff:\t000001ffffffffff\n' >"$1/proc/self/status"
	echo 0-test >"$1/proc/sys/kernel/osrelease"
	: >"$1/dev/random"
	grep -q rd "$1/proc/cpuinfo"
}

# egd_status TREE FILTER: what the daemon there says of its EGD server.
egd_status() { build/hwrngctl --root "$1" --output=json status 2>/dev/null | jq -re ".daemon.egd | $2"; }
