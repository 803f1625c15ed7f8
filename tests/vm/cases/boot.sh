# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the guest itself: kernel, virtio-rng, TPM, ordinary user"
# Without a TPM the rest of this case is still worth running.
[ "$arch" != riscv64 ] || tpm=none

hw_random=/sys/class/misc/hw_random
no_tpm="Debian's riscv64 kernels have no driver for QEMU's TPMs"

use_tpm() {
	check "the TPM is there" test -c /dev/tpmrm0
	case $(uname -r) in
	*-cloud-*)
		check_equal "virtio-rng is the current hwrng" virtio_rng.0 "$(cat $hw_random/rng_current)"
		check_match "the cloud kernel does not use the TPM as hwrng" '^virtio_rng\.0 ?(none ?)?$' "$(cat $hw_random/rng_available)"
		;;
	*) check_match "the generic kernel uses the TPM as hwrng" 'tpm-rng-0' "$(cat $hw_random/rng_available)" ;;
	esac
	check "the TPM answers" tpm_mark
	check "the TPM answers again" tpm_mark
	check_fails "an ordinary user may not open the TPM" 1 as_user cat /dev/tpm0
}

guest() {
	check_match "kernel $kernel runs" "^$kernel\." "$(uname -r)"
	check_equal "64 bytes can be read" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	if [ "$arch" = riscv64 ]; then
		skip "the TPM answers" "$no_tpm"
	else
		use_tpm
	fi
	check_equal "a command can run as an ordinary user" 1000 "$(as_user id -u)"
	check "ioctls can be traced" trace_ioctl stty -F /dev/console
	check_match "the trace shows the ioctls" 'ioctl\(' "$(cat "$ioctl_trace")"
	trace_ioctl sh -c 'for i in 1 2 3 4 5 6 7 8; do stty -F /dev/console >/dev/null & done; wait'
	check "the trace shows the ioctls of eight processes at once" test "$(grep -c 'ioctl(.* = 0$' "$ioctl_trace")" -ge 8
	check_equal "no line of the trace is split" 0 "$(grep -c -e unfinished -e resumed "$ioctl_trace")"
}

after() {
	if [ "$arch" = riscv64 ]; then
		skip "the TPM's log shows the commands" "$no_tpm"
		return
	fi
	check_match "the TPM's log shows commands" '^0000017A' "$(tpm_commands)"
	check_equal "the TPM's log shows the marks" 2 "$(tpm_commands | grep -c '^0000017C')"
	if [ "$flavour" = generic ]; then
		skip "there is no GetRandom between the marks" "this kernel uses the TPM as hwrng, and may read it at any time"
	else
		check_equal "there is no GetRandom between the marks" 0 "$(tpm_getrandom_between_marks)"
	fi
}
