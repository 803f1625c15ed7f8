# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="both modules come and go while another source stalls for ever"
rng="file"
case $arch in
amd64) cpu=max,-rdseed ours=cpu_rng.rdrand ;;
arm64) ours=cpu_rng.rndr ;;
esac

hw_random=/sys/class/misc/hw_random

# QEMU opens the FIFO for reading; who holds it open for writing soon writes no more. Some bytes must
# come: 6.1 and before read while virtio-rng registers, and hang if khwrngd is first and gets none.
before() { mkfifo "$rng_file"; }
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

available() { tr ' ' '\n' <$hw_random/rng_available | grep -xe "$ours" -e tpm_rng.0 | sort | tr '\n' ' '; }

# within SECONDS COMMAND...: what waits for that mutex cannot even be killed.
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
	check "a reader stalls in virtio-rng" stall_hwrng
	for round in 1 2; do
		check "modprobe cpu_rng answers" within 10 modprobe cpu_rng
		check "modprobe tpm_rng answers" within 10 modprobe tpm_rng duplicate=1
		check_equal "both are available" "$ours tpm_rng.0 " "$(available)"
		check_equal "the stalled one is still current" virtio_rng.0 "$(cat $hw_random/rng_current)"
		check "rmmod cpu_rng answers" within 10 rmmod cpu_rng
		check "rmmod tpm_rng answers" within 10 rmmod tpm_rng
	done
	check "the reader stalls to this moment" hwrng_stalls

	case $kernel in
	5.10 | 6.1)
		why="this kernel reads from who becomes current, behind that reader and without end"
		skip "a better source that becomes current" "$why"
		skip "selecting ours" "$why"
		return
		;;
	esac
	check "modprobe cpu_rng answers" within 10 modprobe cpu_rng
	check "selecting ours answers" within 10 sh -c "echo $ours >$hw_random/rng_current"
	check_equal "and it is current" "$ours" "$(cat $hw_random/rng_current)"
	check "rmmod of the current source answers" within 10 rmmod cpu_rng
}
