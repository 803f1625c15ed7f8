# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# A machine made of files. hwrngd can run on it without feeding the real machine's pool.

# make_tree DIR: makes such a machine. Its only source is the real machine's /dev/urandom.
make_tree() {
	mkdir -p "$1"/{dev,etc/hwrngd.conf.d,proc/self,proc/sys/kernel}
	: >"$1/proc/cpuinfo"
	printf 'CapEff:\t000001ffffffffff\n' >"$1/proc/self/status"
	echo 0-test >"$1/proc/sys/kernel/osrelease"
	: >"$1/dev/random"
	# If possible a separate device node, because a daemon locks the file that it reads.
	mknod -m 444 "$1/dev/generator" c 1 9 2>/dev/null || ln -s /dev/urandom "$1/dev/generator"
	printf '%s\n' '[source."generator"]' 'path = "/dev/generator"' 'credit = 1024' >"$1/etc/hwrngd.conf.d/generator.conf"
}

# egd_status TREE FILTER: applies a jq filter to the EGD server's part of the daemon's status.
egd_status() { build/hwrngctl --root "$1" --output=json status 2>/dev/null | jq -re ".daemon.egd | $2"; }

# start_with_egd TREE LOG ADDRESS...: makes the tree, starts hwrngd there as $daemon, which serves EGD clients
# at these addresses, and waits until it has bytes to serve. ${run_by[@]} may hold a command that runs it.
start_with_egd() {
	local tree=$1 log=$2 addresses bytes
	shift 2
	make_tree "$tree"
	addresses=$(printf '"%s", ' "$@")
	printf '[egd]\nlisten = [%s]\n' "${addresses%, }" >"$tree/etc/hwrngd.conf"
	"${run_by[@]}" build/hwrngd --root "$tree" 2>"$log" &
	daemon=$!
	for _ in {1..300}; do
		bytes=$(egd_status "$tree" .available || true)
		[[ ! $bytes =~ ^[0-9]+$ || $bytes -lt 12288 ]] || return 0
		kill -0 "$daemon" || break
		sleep 0.1
	done
	cat "$log" >&2
	die "hwrngd has no bytes to serve to EGD clients"
}
