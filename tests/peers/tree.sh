# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# A machine made of files, on which hwrngd runs beside one that is real and feeds nothing of it.

# make_tree DIR: its one source is the real machine's /dev/urandom.
make_tree() {
	mkdir -p "$1"/{dev,etc/hwrngd.conf.d,proc/self,proc/sys/kernel}
	: >"$1/proc/cpuinfo"
	printf 'CapEff:\t000001ffffffffff\n' >"$1/proc/self/status"
	echo 0-test >"$1/proc/sys/kernel/osrelease"
	: >"$1/dev/random"
	# A node of its own, where one can be made: a daemon locks what it reads, and there may be another.
	mknod -m 444 "$1/dev/generator" c 1 9 2>/dev/null || ln -s /dev/urandom "$1/dev/generator"
	printf '%s\n' '[source."generator"]' 'path = "/dev/generator"' 'credit = 1024' >"$1/etc/hwrngd.conf.d/generator.conf"
}

# egd_status TREE FILTER: what the daemon there says of its EGD server.
egd_status() { build/hwrngctl --root "$1" --output=json status 2>/dev/null | jq -re ".daemon.egd | $2"; }

# start_with_egd TREE LOG ADDRESS...: hwrngd as $daemon on such a machine, which serves EGD clients there;
# returns when it has something to give. It is run by ${run_by[@]}, if that is set.
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
	die "hwrngd has nothing to give to EGD clients"
}
