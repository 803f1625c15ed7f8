# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Assertions, for dash in the guest and bash on the host. Results go to file descriptor 3 as KTAP.
# The plan comes last, so a run that ends early has no plan and fails.
#
# A command runs in this shell, not in a subshell, so it may set variables. Afterwards its output
# is in the file $output. Assertions in a subshell or behind a pipe are not counted, and then the
# plan does not match the results.

ktap_count=0
output=${TMPDIR:-/tmp}/output

ktap_begin() { echo "KTAP version 1" >&3; }
ktap_end() { echo "1..$ktap_count" >&3; }

# Removes each "#" from the name, because it would be read as a directive.
ktap_result() {
	ktap_count=$((ktap_count + 1))
	printf '%s %d %s%s\n' "$1" "$ktap_count" "$(printf '%s' "$2" | tr '#\n' '  ')" "${3:+ # SKIP $3}" >&3
}

diag() { printf '%s\n' "$*" | sed 's/^/# /' >&3; }

# tell TEXT: a measured value, which "run" prints below the line of the case.
tell() { diag "tell: $*"; }

diag_output() {
	diag "$*"
	tail -n 20 "$output" | sed 's/^/#   /' >&3
}

# check NAME COMMAND...: passes if the command succeeds.
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

# check_fails NAME CODE COMMAND...: passes if the command ends with exactly this exit code.
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

# check_match NAME REGEX TEXT: passes if a line of the text matches (grep -E).
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

# nested COMMAND...: runs a program that prints KTAP itself. Each of its results counts as one of
# ours. A plan that does not match the results, or a bad exit code, counts as a failure.
nested() {
	ktap_program=${1##*/}
	ktap_status=0
	"$@" >"$output" 2>&1 || ktap_status=$?
	sed 's/^#* */#   /' "$output" | tail -n 200 >&3
	# For a skipped test of kselftest_harness.h, only the line before has its name.
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

# cpu_sources: prints the names of the sources of cpu_rng that guests of this architecture have, unless the
# case sets "cpu". QEMU before 8 has no RDSEED, and the headers of 5.10 have no RNDRRS.
cpu_sources() {
	case ${arch:?}-${kernel:?} in
	amd64-*) echo cpu_rng.rdrand cpu_rng.rdseed ;;
	arm64-5.10) echo cpu_rng.rndr ;;
	arm64-*) echo cpu_rng.rndr cpu_rng.rndrrs ;;
	ppc64el-*) echo cpu_rng.darn ;;
	riscv64-*) echo cpu_rng.seed ;;
	esac
}

# cpu_source: prints the first of these names.
cpu_source() { cpu_sources | cut -d' ' -f1; }

# cpu_quality SOURCE: prints the quality that it has by default.
cpu_quality() {
	case $1 in
	*.rdrand | *.rndr) echo 4 ;;
	*) echo 512 ;;
	esac
}

# hwrng_block: prints how many bytes the hwrng framework takes from a driver at once: a cache line. It keeps
# what a reader does not take for the next reader.
hwrng_block() {
	case ${arch:?} in
	ppc64el) echo 128 ;;
	*) echo 64 ;;
	esac
}

# cpu_without_source: prints a value of the setting "cpu": a CPU without instructions that cpu_rng knows.
cpu_without_source() {
	case ${arch:?} in
	amd64) echo max,-rdrand,-rdseed ;;
	arm64) echo cortex-a72 ;;
	ppc64el) echo power8 ;;
	riscv64) echo rv64 ;;
	esac
}

# ---- in the guest ----

# check_kernel: checks what a debug kernel noticed and reports only on request. "init" calls it after
# every case. On other kernels it does nothing.
check_kernel() {
	[ -e /sys/kernel/debug/kmemleak ] || return 0
	# Memory younger than 5 s never counts as leaked. Scan twice, because one scan may miss a
	# pointer that is in a register or in a list that is being changed.
	sleep 6
	check "memory is scanned for leaks" sh -c 'for i in 1 2; do echo scan >/sys/kernel/debug/kmemleak || exit; done'
	check_equal "no leak is found" "" "$(cat /sys/kernel/debug/kmemleak)"
	# Lockdep switches itself off after its first report, or when its tables are full.
	check_match "the locks were watched to the end" '^ *debug_locks: +1$' "$(cat /proc/lockdep_stats)"
}

# as_user COMMAND...: runs it as an ordinary user.
as_user() { setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }

# trace_ioctl COMMAND...: writes the command's ioctls to $ioctl_trace, one per line. strace writes a file
# per thread, because in a common file the end of a thread splits the line of another thread's call.
ioctl_trace=${TMPDIR:-/tmp}/ioctl
trace_ioctl() {
	traced=0
	rm -f "$ioctl_trace".*
	strace -ff -e trace=ioctl -o "$ioctl_trace" "$@" || traced=$?
	cat "$ioctl_trace".* >"$ioctl_trace"
	return $traced
}

# tpm_mark: sends a command that nothing else sends, as a mark in the TPM's log: GetTestResult, which
# changes no state.
tpm_mark() {
	if [ -e /dev/tpmrm0 ]; then
		tpm_send /dev/tpmrm0 '\200\001\000\000\000\012\000\000\001\174'
	else
		tpm_send /dev/tpm0 '\000\301\000\000\000\012\000\000\000\124'
	fi
}

# tpm_send DEVICE COMMAND: also reads the response, which must happen before the next command.
tpm_send() {
	# shellcheck disable=SC2059
	(exec 4<>"$1" && printf "$2" >&4 && dd bs=4096 count=1 <&4 >/dev/null 2>&1)
}

# hwrng_stalls: succeeds if a process waits inside virtio-rng's read, with the framework's reading_mutex.
hwrng_stalls() { cat /proc/[0-9]*/stack 2>/dev/null | grep -q virtio_read; }

# stall_hwrng: starts a reader that takes the last bytes of virtio-rng and then waits inside its driver.
# The second look makes sure that the read is not just slow.
stall_hwrng() {
	dd if=/dev/hwrng of=/dev/null bs=64 count=1000 2>/dev/null &
	for _ in $(seq 100); do
		hwrng_stalls && usleep 500000 && hwrng_stalls && return
		usleep 100000
	done
	false
}

# await_rng NAME: waits some seconds until the framework lists it. A TPM that is plugged in, or that failed
# its start-up test, is registered later.
await_rng() {
	for _ in $(seq 400); do
		! tr ' ' '\n' </sys/class/misc/hw_random/rng_available | grep -qx "$1" || return 0
		usleep 50000
	done
	false
}

# plug N: starts a TPM 2.0 inside the guest, as process $swtpm with its state in /tmp/tpmN. The case
# needs programs=/usr/bin/swtpm, and must have loaded tpm_vtpm_proxy.
plug() {
	mkdir -p "/tmp/tpm$1"
	swtpm chardev --vtpm-proxy --tpm2 --tpmstate "dir=/tmp/tpm$1" --flags not-need-init,startup-clear \
		>"/tmp/tpm$1.log" 2>&1 &
	# shellcheck disable=SC2034
	swtpm=$!
}

# plug_in N: like plug, but waits for the TPM, which must get this number. The kernel gives up on a TPM that
# needs more than 2 s for a command, which may happen in a slow guest; then its swtpm ends, and it is plugged
# in again, up to five times.
plug_in() {
	for _ in 1 2 3 4 5; do
		plug "$1"
		while [ -e "/proc/$swtpm/exe" ]; do
			[ ! -d "/sys/class/tpm/tpm$1" ] || return 0
			usleep 50000
		done
		diag "the kernel gave up on TPM $1: $(cat "/tmp/tpm$1.log")"
	done
	false
}

# ---- on the host ----

# tpm_commands: prints the codes of the commands that the TPM received, in order, from its log.
tpm_commands() {
	awk '/SWTPM_IO_Read/ { getline; if ($2 == "01" || $2 == "02" || $2 == "C1") print $7 $8 $9 $10 }' "${swtpm_log:?only on the host}"
}

# tpm_getrandom_between_marks [I]: counts the GetRandom commands between mark I (default 1) and the next.
tpm_getrandom_between_marks() {
	tpm_commands | awk -v from="${1:-1}" '
		/^0000017C|^00000054/ { marks++ }
		/^0000017B|^00000046/ && marks == from { count++ }
		END { print count + 0 }'
}
