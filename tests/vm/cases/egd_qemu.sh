# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3046,SC3051
description="egd: hwrngd on the host serves the guest's /dev/hwrng through QEMU's rng-egd"
tpm=none
rng=none

before() {
	# shellcheck source=../../peers/tree.sh
	. "$top/tests/peers/tree.sh"
	cd "$top" || return
	start_with_egd "$tmp/tree" "$dir/hwrngd.log" unix:/run/hwrngd/egd
	eval 'pids+=("$daemon")' # eval, because dash does not understand this
	qemu_options="-chardev socket,id=egd,path=$tmp/tree/run/hwrngd/egd -object rng-egd,id=egd,chardev=egd -device virtio-rng-pci,rng=egd"
}

guest() {
	check_match "the guest has a virtio-rng" virtio_rng "$(cat /sys/class/misc/hw_random/rng_available)"
	check_equal "/dev/hwrng returns 4096 bytes" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | tee /tmp/bytes | wc -c)"
	check_equal "the 64 blocks of them differ" 64 "$(od -An -v -tx1 -w64 /tmp/bytes | sort -u | wc -l)"
}

served() { [ "$(egd_status "$tmp/tree" .bytes_served)" -ge 4096 ]; }
after() { check "hwrngd has served them" served; }
