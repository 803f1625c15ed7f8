# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl: loads tpm_rng, selects the TPM, feeds from it, and undoes all of it"
programs="build/hwrngctl /usr/bin/jq"

hw_random=/sys/class/misc/hw_random

available() { tr ' ' '\n' <$hw_random/rng_available; }
absent() { ! available | grep -q "^tpm"; }

guest() {
	if [ "$flavour" = generic ]; then
		skip "the TPM as our module serves it" "generic kernels serve it themselves (see hwrngctl_served)"
		return
	fi
	check "no TPM is available before" absent
	check_match "status says how to make it available" 'not a hwrng yet: `hwrngctl load tpm`' "$(hwrngctl status)"
	check_equal "status says in JSON that the module can be loaded" true \
		"$(hwrngctl status -o json | jq '.modules[] | select(.name == "tpm_rng") | .loadable')"
	check "load tpm" hwrngctl load tpm
	check_match "load tpm says which hwrng appeared" 'tpm_rng: loaded: new hwrng: tpm_rng\.0' "$(cat "$output")"
	check_equal "tpm_rng.0 is available" tpm_rng.0 "$(available | grep '^tpm')"
	check "load tpm again" hwrngctl load tpm
	check_match "load tpm says that the module is already loaded" 'already loaded' "$(cat "$output")"

	check "select tpm_rng.0" hwrngctl select tpm_rng.0
	check_equal "tpm_rng.0 is current" tpm_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "tpm_rng.0 counts as selected" 1 "$(cat $hw_random/rng_selected)"
	dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
	check "first mark" tpm_mark
	check_equal "4 KiB are read from /dev/hwrng" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"
	check "second mark" tpm_mark

	check "select virtio_rng.0" hwrngctl select virtio_rng.0
	trace_ioctl hwrngctl -o json feed --once --source tpm_rng.0 >/tmp/fed 2>/tmp/said
	check_equal "feed --once --source tpm_rng.0" 0 $?
	check_equal "feed shows the source" tpm_rng.0 "$(jq -r .source </tmp/fed)"
	check_equal "feed shows the number of bytes" 2500 "$(jq .bytes </tmp/fed)"
	check_equal "feed shows the number of tested blocks" 1 "$(jq .fips.blocks </tmp/fed)"
	check_equal "half of quality 512 is credited" 5000 "$(jq .credited_bits </tmp/fed)"
	check_equal "the kernel was told this credit" 1 "$(grep -c 'RNDADDENTROPY, {entropy_count=5000, buf_size=2500.*= 0$' "$ioctl_trace")"
	check_equal "the kernel was told to reseed" 1 "$(grep -c 'RNDRESEEDCRNG.*= 0$' "$ioctl_trace")"
	check_equal "virtio_rng.0 is restored" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "virtio_rng.0 counts as selected" 1 "$(cat $hw_random/rng_selected)"
	check "test --source tpm_rng.0" hwrngctl test --source tpm_rng.0 --blocks 2

	ln -s /usr/bin/kmod /sbin/modprobe # the kernel needs it to load modules for its jitter
	hwrngctl -o json bench --seconds 1 >/tmp/bench 2>/tmp/said
	check_equal "bench succeeds" 0 $?
	check_equal "bench has a row for each source" "$(hwrngctl list -o json | jq -c '[.sources[].name]')" \
		"$(jq -c '[.sources[].source]' </tmp/bench)"
	# On 5.10 hwrngctl does not switch the hwrng unless asked to, and 7.3 restricts AF_ALG.
	withheld=""
	[ -e $hw_random/rng_quality ] || withheld=tpm_rng.0
	[ "$(cat /proc/sys/crypto/af_alg_restrict 2>/dev/null || echo 0)" = 0 ] || withheld=jitter
	check_equal "bench has figures for all sources that it can use" "$withheld" \
		"$(jq -r '.sources[] | select(.reads == 0 or .error or .bytes_per_second <= 0) | .source' </tmp/bench)"
	tell "$(jq -r '[.sources[] | select(.reads > 0) | "\(.source) \(.bytes_per_second | floor) B/s"] | join(", ")' </tmp/bench)"
	check "bench --source tpm_rng.0" hwrngctl bench --seconds 1 --source tpm_rng.0
	check_match "bench prints a table without JSON" '^tpm_rng\.0 +[0-9.]+ [kM]?B/s +[0-9]+ +64 B .*usual$' "$(cat "$output")"
	check_equal "virtio_rng.0 is restored" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "virtio_rng.0 counts as selected" 1 "$(cat $hw_random/rng_selected)"

	check "feed --once reads the TPM through the resource manager" hwrngctl feed --once --source tpmrm0
	check "third mark" tpm_mark
	check "feed --once --dry-run succeeds" hwrngctl feed --once --dry-run --source tpmrm0
	check "fourth mark" tpm_mark

	check "select auto" hwrngctl select auto
	check_equal "the current source counts as the kernel's choice" 0 "$(cat $hw_random/rng_selected)"
	check "unload tpm" hwrngctl unload tpm
	check "no TPM is available after that" absent
	check_equal "virtio_rng.0 is current" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check "unload tpm again" hwrngctl unload tpm
	check_match "unload tpm says that there is nothing to do" 'nothing to do' "$(cat "$output")"
}

after() {
	[ "$flavour" != generic ] || return 0
	# khwrngd may also read once or twice.
	check_match "4 KiB are 128 commands" '^1(2[89]|3[0-2])$' "$(tpm_getrandom_between_marks 1)"
	# 4 bytes for the continuous test and one block, with 32 bytes per command.
	check_equal "a block read from tpmrm0 is 80 commands" 80 "$(tpm_getrandom_between_marks 3)"
}
