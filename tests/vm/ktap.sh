# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Assertions, for dash in the guest and bash on the host. Results go to file
# descriptor 3 as KTAP, and the plan comes last: a run that ends early has none and fails.
#
# A command runs in this shell, not in a subshell, so it may set variables; what it printed
# is in the file $output afterwards. Assertions in a subshell or behind a pipe do not
# count, which the plan then reveals.

ktap_count=0
output=${TMPDIR:-/tmp}/output

ktap_begin() { echo "KTAP version 1" >&3; }
ktap_end() { echo "1..$ktap_count" >&3; }

# A "#" in a name would be read as a directive.
ktap_result() {
	ktap_count=$((ktap_count + 1))
	printf '%s %d %s%s\n' "$1" "$ktap_count" "$(printf '%s' "$2" | tr '#\n' '  ')" "${3:+ # SKIP $3}" >&3
}

diag() { printf '%s\n' "$*" | sed 's/^/# /' >&3; }

# tell TEXT: a figure that the reader of the run shall see below the case's line.
tell() { diag "tell: $*"; }

diag_output() {
	diag "$*"
	tail -n 20 "$output" | sed 's/^/#   /' >&3
}

# check NAME COMMAND...: the command succeeds.
check() {
	ktap_name=$1
	shift
	ktap_status=0
	"$@" >"$output" 2>&1 || ktap_status=$?
	if [ "$ktap_status" -eq 0 ]; then
		ktap_result ok "$ktap_name"
	else
		ktap_result "not ok" "$ktap_name"
		diag_output "exit code $ktap_status: $*"
	fi
}

# check_fails NAME CODE COMMAND...: the command ends with exactly this exit code.
check_fails() {
	ktap_name=$1 ktap_code=$2
	shift 2
	ktap_status=0
	"$@" >"$output" 2>&1 || ktap_status=$?
	if [ "$ktap_status" -eq "$ktap_code" ]; then
		ktap_result ok "$ktap_name"
	else
		ktap_result "not ok" "$ktap_name"
		diag_output "exit code $ktap_status instead of $ktap_code: $*"
	fi
}

# check_equal NAME EXPECTED ACTUAL
check_equal() {
	if [ "$2" = "$3" ]; then
		ktap_result ok "$1"
	else
		ktap_result "not ok" "$1"
		diag "expected: $2"
		diag "actual:   $3"
	fi
}

# check_match NAME REGEX TEXT: a line of the text matches (grep -E).
check_match() {
	if printf '%s\n' "$3" | grep -Eq -- "$2"; then
		ktap_result ok "$1"
	else
		ktap_result "not ok" "$1"
		diag "expected to match: $2"
		diag "actual: $3"
	fi
}

# skip NAME REASON
skip() { ktap_result ok "$1" "$2"; }

# nested COMMAND...: a program that prints KTAP itself. Each of its results counts as one of
# ours; so does, as a failure, what its plan says and it did not do, or a bad end.
nested() {
	ktap_program=${1##*/}
	ktap_status=0
	"$@" >"$output" 2>&1 || ktap_status=$?
	sed 's/^#* */#   /' "$output" | tail -n 200 >&3
	# A skipped test of kselftest_harness.h has no name but in the line before.
	awk -v status=$ktap_status '
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; plans++ }
		/^1\.\.0 # SKIP/ { sub(/^[^#]*# SKIP */, ""); print "ok\tall\t" $0 }
		/^#  *RUN / { running = $3 }
		/^(not )?ok [0-9]+/ {
			verdict = $1 == "not" ? "not ok" : "ok"
			seen++
			bad += verdict != "ok"
			sub(/^(not )?ok [0-9]+ *(- )?/, "")
			reason = ""
			if (match($0, /# SKIP/)) {
				reason = substr($0, RSTART + 7)
				$0 = substr($0, 1, RSTART - 1)
			}
			sub(/ +$/, "")
			print verdict "\t" ($0 == "" ? running : $0) "\t" reason
		}
		END {
			if (plans != 1 || plan != seen + 0)
				print "not ok\tthe plan: " plan + 0 " results, " seen + 0 " seen, exit code " status
			else if (!bad && status != 0 && status != 4)
				print "not ok\tthe end: exit code " status
		}' "$output" >"$output.nested"
	while IFS='	' read -r ktap_verdict ktap_name ktap_reason; do
		ktap_result "$ktap_verdict" "$ktap_program: $ktap_name" "$ktap_reason"
	done <"$output.nested"
}

# ---- in the guest ----

# check_kernel: what a debug kernel has noticed on its own and says only when asked. "init"
# calls it after every case; elsewhere it is nothing.
check_kernel() {
	[ -e /sys/kernel/debug/kmemleak ] || return 0
	# Nothing counts as leaked in its first 5 s. A pointer may hide from one scan, in a
	# register or half of a list.
	sleep 6
	check "memory is scanned for leaks" sh -c 'for i in 1 2; do echo scan >/sys/kernel/debug/kmemleak || exit; done'
	check_equal "none is found" "" "$(cat /sys/kernel/debug/kmemleak)"
	# After its first report, or when its tables are full, it is off.
	check_match "the locks were watched to the end" '^ *debug_locks: +1$' "$(cat /proc/lockdep_stats)"
}

# as_user COMMAND...: as an ordinary user.
as_user() { setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }

# trace_ioctl COMMAND...: leaves the command's ioctls in $ioctl_trace, each on a line of its own: in a file
# for all threads, one thread's end would cut the line of another's call in two.
ioctl_trace=${TMPDIR:-/tmp}/ioctl
trace_ioctl() {
	traced=0
	rm -f "$ioctl_trace".*
	strace -ff -e trace=ioctl -o "$ioctl_trace" "$@" || traced=$?
	cat "$ioctl_trace".* >"$ioctl_trace"
	return $traced
}

# tpm_mark: a command that nothing else sends, to find one's place in the TPM's log:
# GetTestResult, which changes no state.
tpm_mark() {
	if [ -e /dev/tpmrm0 ]; then
		tpm_send /dev/tpmrm0 '\200\001\000\000\000\012\000\000\001\174'
	else
		tpm_send /dev/tpm0 '\000\301\000\000\000\012\000\000\000\124'
	fi
}

# tpm_send DEVICE COMMAND: the response must be read before the next command.
tpm_send() {
	# shellcheck disable=SC2059
	(exec 4<>"$1" && printf "$2" >&4 && dd bs=4096 count=1 <&4 >/dev/null 2>&1)
}

# hwrng_stalls: somebody is inside the read of a virtio-rng that gives nothing, with the framework's
# reading_mutex.
hwrng_stalls() { cat /proc/[0-9]*/stack 2>/dev/null | grep -q virtio_read; }

# stall_hwrng: a reader takes what virtio-rng still gives, and stays inside: a read that is only
# slow has ended by the second look.
stall_hwrng() {
	dd if=/dev/hwrng of=/dev/null bs=64 count=1000 2>/dev/null &
	for _ in $(seq 100); do
		hwrng_stalls && usleep 500000 && hwrng_stalls && return
		usleep 100000
	done
	false
}

# plug N: a TPM 2.0 inside the guest, $swtpm being its process; for cases with programs=/usr/bin/swtpm
# that have loaded tpm_vtpm_proxy. Its state is kept in /tmp/tpmN.
plug() {
	mkdir -p "/tmp/tpm$1"
	swtpm chardev --vtpm-proxy --tpm2 --tpmstate "dir=/tmp/tpm$1" --flags not-need-init,startup-clear \
		>"/tmp/tpm$1.log" 2>&1 &
	# shellcheck disable=SC2034
	swtpm=$!
}

# ---- on the host ----

# tpm_commands: the command codes that the TPM received, in order, from its log.
tpm_commands() {
	awk '/SWTPM_IO_Read/ { getline; if ($2 == "01" || $2 == "02" || $2 == "C1") print $7 $8 $9 $10 }' "${swtpm_log:?only on the host}"
}

# tpm_getrandom_between_marks [I]: how many GetRandom came between mark I (default 1) and the next.
tpm_getrandom_between_marks() {
	tpm_commands | awk -v from="${1:-1}" '
		/^0000017C|^00000054/ { marks++ }
		/^0000017B|^00000046/ && marks == from { count++ }
		END { print count + 0 }'
}
