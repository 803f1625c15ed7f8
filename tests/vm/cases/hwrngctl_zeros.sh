# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: virtio-rng returns zeros, which get no credit, and feed uses the TPM instead"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq"
rng=zeros

hw_random=/sys/class/misc/hw_random

guest() {
	check_fails "test --source virtio_rng.0 fails" 1 hwrngctl test --source virtio_rng.0 --blocks 2
	check_match "test says that the source is unhealthy" UNHEALTHY "$(cat "$output")"
	check_fails "feed --source virtio_rng.0 is refused" 1 trace_ioctl hwrngctl feed --once --source virtio_rng.0
	check_match "feed says why" 'virtio_rng.0: unhealthy, .*none of its bytes are credited' "$(cat "$output")"
	check_equal "nothing was credited" 0 "$(grep -c RNDADDENTROPY "$ioctl_trace")"

	# Without our module: through the resource manager.
	trace_ioctl hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	check_equal "feed --once uses the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	check_match "feed says which source it refused" 'virtio_rng.0: unhealthy' "$(cat /tmp/said)"
	check_equal "feed says it in JSON too" virtio_rng.0 "$(jq -r '.rejected[0].source' </tmp/fed)"
	check_equal "bytes were credited once" 1 "$(grep -c RNDADDENTROPY "$ioctl_trace")"
	check_equal "the credit is that of the TPM" 5000 "$(jq .credited_bits </tmp/fed)"

	# With our module: through the framework; the previous source is restored.
	check "load tpm" hwrngctl load tpm
	hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	# 5.10 can hang in a switch, so hwrngctl probes a hwrng there only if it is named.
	if [ -e $hw_random/rng_quality ]; then
		check_equal "feed --once uses the TPM" tpm_rng.0 "$(jq -r .source </tmp/fed)"
	else
		check_equal "feed --once uses the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	fi
	check_equal "virtio_rng.0 is restored" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "virtio_rng.0 counts as the kernel's choice" 0 "$(cat $hw_random/rng_selected)"
}
