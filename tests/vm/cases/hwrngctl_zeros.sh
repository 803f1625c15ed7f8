# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: virtio-rng gives zeros, so nothing of it is credited and the TPM steps in"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel: the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq"
rng=zeros

hw_random=/sys/class/misc/hw_random

guest() {
	check_fails "test --source virtio_rng.0 is unhealthy" 1 hwrngctl test --source virtio_rng.0 --blocks 2
	check_match "and says so" UNHEALTHY "$(cat "$output")"
	check_fails "feed from it by name is refused" 1 trace_ioctl hwrngctl feed --once --source virtio_rng.0
	check_match "and says why" 'virtio_rng.0: unhealthy, .*nothing of it is credited' "$(cat "$output")"
	check_equal "nothing was credited" 0 "$(grep -c RNDADDENTROPY "$ioctl_trace")"

	# Without our module: by the resource manager.
	trace_ioctl hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	check_equal "from the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	check_match "and says what it refused" 'virtio_rng.0: unhealthy' "$(cat /tmp/said)"
	check_equal "in the document too" virtio_rng.0 "$(jq -r '.rejected[0].source' </tmp/fed)"
	check_equal "credited once" 1 "$(grep -c RNDADDENTROPY "$ioctl_trace")"
	check_equal "with the TPM's credit" 5000 "$(jq .credited_bits </tmp/fed)"

	# With it: by the framework, and the choice is put back.
	check "load tpm" hwrngctl load tpm
	hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	# 5.10 can hang in a switch, so nothing is probed there unless asked for by name.
	if [ -e $hw_random/rng_quality ]; then
		check_equal "from the TPM" tpm_rng.0 "$(jq -r .source </tmp/fed)"
	else
		check_equal "from the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	fi
	check_equal "virtio_rng.0 is put back" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "as the kernel's choice" 0 "$(cat $hw_random/rng_selected)"
}
