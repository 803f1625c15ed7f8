# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="stress: modules are loaded and unloaded while each allocation fails in turn (debug kernel)"
arches=amd64 arches_why="there is no debug kernel for other architectures"
programs="build/kselftest/load_failing"
[ "$flavour" != debug ] || timeout=600

hw_random=/sys/class/misc/hw_random

before() { build_kselftest; }

ours() { grep -cEw '(tpm|cpu)_rng\.[a-z0-9]+' $hw_random/rng_available; }

# A tenth of the allocations of insmod and rmmod fail, so that some of the commands still succeed.
random_rounds() {
	for i in $(seq 100); do
		sh -c 'echo 1 >/proc/self/make-it-fail; exec insmod "$0"' "$(modinfo -n cpu_rng)"
		sh -c 'echo 1 >/proc/self/make-it-fail; exec insmod "$0"' "$(modinfo -n tpm_rng)"
		sh -c 'echo 1 >/proc/self/make-it-fail; exec rmmod tpm_rng cpu_rng'
		rmmod tpm_rng cpu_rng
	done >/dev/null 2>&1
	true
}

guest() {
	if [ ! -d /sys/kernel/debug/failslab ]; then
		skip "failing allocations" "only the debug kernel has fault injection"
		return
	fi
	for module in cpu_rng tpm_rng; do
		check "$module loads before" modprobe $module
		check "$module unloads" rmmod $module
		nested load_failing "$(modinfo -n $module)" ""
		check "$module loads afterwards" modprobe $module
		check "$module has a source" test "$(ours)" -ge 1
		check "$module unloads afterwards" rmmod $module
	done

	for setting in task-filter=Y ignore-gfp-wait=N probability=10 interval=1 times=-1 verbose=0; do
		echo "${setting#*=}" >"/sys/kernel/debug/failslab/${setting%=*}"
	done
	check "a hundred rounds are made in which a tenth of the allocations fail" random_rounds
	echo 0 >/sys/kernel/debug/failslab/probability
	check_equal "no source of ours is left" 0 "$(ours)"
	check "both modules load afterwards" modprobe -a cpu_rng tpm_rng
	check "both modules unload afterwards" rmmod tpm_rng cpu_rng
	check_equal "another source serves" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
}
