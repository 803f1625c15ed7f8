# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="both modules can be loaded and unloaded while another source stalls for ever"
rng="file"
[ "$arch" != amd64 ] || cpu=max,-rdseed
ours=$(cpu_source)

hw_random=/sys/class/misc/hw_random

# QEMU reads from the FIFO, and its writer soon writes no more. The first bytes are needed: up to 6.1 the
# kernel reads while virtio-rng registers, and hangs if khwrngd reads first and gets no data.
before() { mkfifo "$rng_file"; }
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

available() { tr ' ' '\n' <$hw_random/rng_available | grep -xe "$ours" -e tpm_rng.0 | sort | tr '\n' ' '; }

# within SECONDS COMMAND...: runs it in the background, because a process that waits for the framework's
# mutex cannot be killed. Fails after that time.
within() {
	limit=$1
	shift
	rm -f /tmp/status
	{ "$@"; echo $? >/tmp/status; } &
	for i in $(seq $((limit * 10))); do
		[ ! -s /tmp/status ] || return "$(cat /tmp/status)"
		usleep 100000
	done
	echo "still running after $limit s"
	return 124
}

guest() {
	# On a generic kernel the TPM may be current.
	[ "$(cat $hw_random/rng_current)" = virtio_rng.0 ] || echo virtio_rng.0 >$hw_random/rng_current
	check "a reader stalls in virtio-rng" stall_hwrng
	for round in 1 2; do
		check "*modprobe cpu_rng returns" within 10 modprobe cpu_rng
		check "modprobe tpm_rng returns" within 10 modprobe tpm_rng duplicate=1
		check_equal "both sources are available" "$ours tpm_rng.0 " "$(await_rng tpm_rng.0; available)"
		check_equal "the stalled source is still current" virtio_rng.0 "$(cat $hw_random/rng_current)"
		check "rmmod cpu_rng returns" within 10 rmmod cpu_rng
		check "rmmod tpm_rng returns" within 10 rmmod tpm_rng
	done
	check "the reader still stalls" hwrng_stalls

	case $kernel in
	5.10 | 6.1)
		why="this kernel reads from a source that becomes current, and would wait for the stalled reader"
		skip "a better source becomes current" "$why"
		skip "our source can be selected" "$why"
		return
		;;
	esac
	check "*modprobe cpu_rng returns" within 10 modprobe cpu_rng
	check "our source can be selected" within 10 sh -c "echo $ours >$hw_random/rng_current"
	check_equal "our source is current" "$ours" "$(cat $hw_random/rng_current)"
	check "rmmod of the current source returns" within 10 rmmod cpu_rng
}
