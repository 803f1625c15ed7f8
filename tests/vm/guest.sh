# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The program that sources this file sets the variables that are not set here:
# shellcheck disable=SC2154
#
# Runs one case in one guest, from its settings to its verdict.

# run_case KERNEL NAME ROOT INITRAMFS [shell]: call it in a subshell, which it ends. Its trap then ends
# the processes of this case, and the case's settings do not affect other cases. (With a subshell as the
# function's body there would be one more process, and signals would end the wrong one.)
run_case() {
	kernel=$1 name=$2 root=$3 initramfs=$4 interactive=${5:-}
	begin_case "$logs/$kernel-$flavour-$arch/$name"
	kernels='' kernels_why='' arches='' arches_why='' flavours='' flavours_why='' programs='' like=''
	# shellcheck disable=SC1090
	. "$cases/$name.sh"
	if [[ $like ]]; then
		# shellcheck disable=SC1090
		. "$cases/$like.sh"
		# shellcheck disable=SC1090
		. "$cases/$name.sh"
	fi

	why=$(why_skip)
	if [[ $why ]]; then
		verdict skip "$why" 0 0 1
		exit
	fi
	least=$("$tests/kernel" "$kernel" qemu --arch "$arch")
	# Older versions of arm64's "virt" machine have no second serial port.
	[[ $arch != arm64 || $least -ge 10 ]] || least=10
	((qemu >= least)) || qemu=$least
	if ! command=$("$tests/qemu" "$qemu" --arch "$arch" 2>"$dir/qemu.log"); then
		verdict skip "QEMU $qemu is not available: $(tail -n 1 "$dir/qemu.log")" 0 0 1
		exit
	fi
	mapfile -t command <<<"$command"

	exec 3>"$dir/host.log"
	before
	feed_rng
	start_tpm
	make_guest_files
	make_command
	printf '%q ' "${command[@]}" >"$dir/qemu.sh"

	if [[ $interactive ]]; then
		start_during
		judged=1
		"${command[@]}"
		exit
	fi
	boot_and_judge
	exit
}

# why_skip: prints why the case cannot run in this guest, or nothing if it can.
why_skip() {
	local program
	if [[ $kernels && " $kernels " != *" $kernel "* ]]; then
		echo "${kernels_why:-only on $kernels}"
	elif [[ $arches && " $arches " != *" $arch "* ]]; then
		echo "${arches_why:-only on $arches}"
	elif [[ $flavours && " $flavours " != *" $flavour "* ]]; then
		echo "${flavours_why:-only on $flavours kernels}"
	elif [[ $arch != "$native" && " $programs" == *" build/"* ]]; then
		echo "$programs: built for $native only"
	elif [[ $tpm != none && $arch == riscv64 ]]; then
		echo "Debian's riscv64 kernels have no driver for QEMU's TPMs"
	else
		for program in ${userland:+$programs}; do
			if [[ $program == /* && ! -e $userland$program ]]; then
				echo "$program is not among the programs of $arch guests"
				break
			fi
		done
	fi
}

# begin_case DIR: makes the folder of the case's logs, and sets the defaults of its settings.
begin_case() {
	dir=$1
	rm -rf "$dir"
	mkdir -p "$dir"
	# Not below $dir, because the path of a socket must be short.
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/hwrngd-vm.XXXXXX")
	trap end_case EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	start=${EPOCHREALTIME//[.,]/} pids=() swtpm_pid='' during_pid='' judged='' booted_again=''
	console_log=$dir/console.log ktap_log=$dir/ktap.log swtpm_log=$dir/swtpm.log
	rng_file=$tmp/rng monitor=$tmp/monitor snapshot=$tmp/snapshot
	TMPDIR=$tmp

	tpm=2.0 tpm_device=tpm-tis rng=urandom memory=512 cmdline='' qemu_options='' timeout=120 qemu=7
	# With all the instructions that cpu_rng knows.
	case $arch in
	ppc64el) cpu=power9 ;;
	riscv64) cpu=rv64,zkr=true ;;
	*) cpu=max ;;
	esac
	before() { :; }
	during() { :; }
	after() { :; }
	# load_kernel COMMAND-LINE: adds to QEMU's command the options that load the kernel.
	load_kernel() { command+=(-kernel "$root/vmlinuz" -initrd "$tmp/initramfs" -append "$1"); }
	# Has any of our code run? Before a guest's first output only the emulator and Debian's kernel have run.
	spoke() { [[ -s $ktap_log ]]; }
	# Does the kernel report a lost timer, and that every CPU that RCU complains about was idle ("false
	# positive?")? See boot_and_judge.
	lost_a_timer() {
		grep -aq "kthread timer wakeup didn't happen" "$console_log" &&
			grep -aE 'rcu:[[:space:]]+[0-9]+-.*softirq=' "$console_log" |
			awk '{ stalled++ } /\(false positive\?\)/ { idle++ } END { exit !(stalled && stalled == idle) }'
	}
	# Prints an explanation of a failure for which there is no complaint of the kernel.
	last_words() { tail -n 25 "$console_log"; }
	# shellcheck source=ktap.sh
	. "$tests/ktap.sh"
}

boot_and_judge() {
	limit=$((timeout * ${HWRNGD_TIME_FACTOR:-1}))
	# A debug kernel checks every memory access, which is slow.
	[[ $flavour != debug ]] || limit=$((limit * 5))
	boot
	# QEMU 10 aborts about once in 200 boots while the kernel sets up PCI ("iotlb_to_section:
	# Assertion"), because of a race between its own threads. Exit code 1 means that QEMU refused
	# its command line; then do not try again.
	if ((status != 1)) && ! spoke; then
		boot_again "ended with $status before the guest spoke"
	# Once in thousands of boots a timer of an idle CPU is lost, and then every process that waits
	# for RCU waits for ever. 6.12 and 7.3 report the same if the timer of the second CPU's local
	# APIC is masked by hand. A CPU that our code keeps busy loses timers too, but is not idle.
	elif ((status == 124)) && lost_a_timer; then
		boot_again "a timer was lost on an idle CPU"
	fi
	after
	((ktap_count == 0)) || ktap_end
	exec 3>&-
	judge
}

# boot_again WHY: boots once more. The console of the first boot is kept in console.first.log.
boot_again() {
	say "$kernel $name: $1; booting once more"
	booted_again=1
	{ tail -n 3 "$dir/qemu.log"; tail -n 10 "$console_log" | tr -d '\r'; } >&2 || true
	cp "$console_log" "$dir/console.first.log"
	rm -rf "$tmp/tpm" "$snapshot"
	start_tpm
	boot
}

# during() gets its own process group, because it may still have children (sleep, cat) at its end.
start_during() {
	set -m
	during </dev/null >"$dir/during.log" 2>&1 &
	during_pid=$!
	set +m
}

# Boots once, from the start of during() to the end of the TPM. Sets $status.
boot() {
	: >"$console_log"
	: >"$ktap_log"
	: >"$dir/qemu.log"
	start_during
	run_qemu
	# during() may have saved the guest's state to $snapshot.
	if ((status == 0)) && [[ -e $snapshot ]]; then
		run_qemu -incoming "exec:cat $snapshot"
	fi
	end_during
	end_tpm
}

# run_qemu [OPTION...]: runs QEMU within the time limit, and sets $status to its exit code.
run_qemu() {
	status=0
	timeout --foreground --kill-after=5 "$limit" "${command[@]}" "$@" </dev/null >>"$dir/qemu.log" 2>&1 &
	pids+=($!)
	wait $! || status=$?
	pids=("${pids[@]:0:${#pids[@]}-1}")
}

# build_kselftest: for before() of cases that use the kselftests. The lock is for guests that start together.
build_kselftest() {
	local source
	source=$("$tests/kernel" 6.1 source)
	mkdir -p "$top/build"
	flock "$top/build/kselftest.lock" make -s -C "$top/tests/kselftest" \
		"SELFTESTS=$source/tools/testing/selftests" "OUT=$top/build/kselftest"
}

end_during() {
	[[ $during_pid ]] || return 0
	kill -- "-$during_pid" 2>/dev/null || true
	wait "$during_pid" 2>/dev/null || true
	during_pid=
	# during() may have stopped the TPM.
	[[ ! $swtpm_pid ]] || kill -CONT "$swtpm_pid" 2>/dev/null || true
}

# The TPM ends with its last connection, and then its log is complete. It does not end by itself if QEMU
# refused its command line, and so never connected.
end_tpm() {
	local i
	[[ $swtpm_pid ]] || return 0
	for ((i = 0; i < 30; i++)); do
		kill -0 "$swtpm_pid" 2>/dev/null || break
		sleep 0.1
	done
	kill "$swtpm_pid" 2>/dev/null || true
	wait "$swtpm_pid" 2>/dev/null || true
	swtpm_pid=
}

end_case() {
	local status=$?
	trap - EXIT
	trap '' INT TERM
	end_during
	[[ ! $swtpm_pid ]] || pids+=("$swtpm_pid")
	if ((${#pids[@]})); then
		kill "${pids[@]}" 2>/dev/null || true
		wait "${pids[@]}" 2>/dev/null || true
	fi
	rm -rf "$tmp"
	# Without a judgement, before() or after() ended early.
	[[ $judged ]] || ((status >= 128)) || verdict FAIL "the host's part of the case ended early, with $status" 0 1 0
}

feed_rng() {
	case $rng in
	none) ;;
	urandom) rng_file=/dev/urandom ;;
	zeros) rng_file=/dev/zero ;;
	ones)
		mkfifo "$rng_file"
		(exec tr '\0' '\377' </dev/zero >"$rng_file") &
		pids+=($!)
		;;
	file) [[ -e $rng_file ]] || die "case $name: rng=file, but before() made no \$rng_file" ;;
	*) die "case $name: rng=$rng is unknown" ;;
	esac
	# Keep a writer: a FIFO without one is at its end, and QEMU would spin on it.
	[[ ! -p $rng_file ]] || exec 9<>"$rng_file"
}

start_tpm() {
	local socket=$tmp/tpm.sock kind=() i
	case $tpm in
	none) return ;;
	1.2) ;;
	2.0) kind=(--tpm2) ;;
	*) die "case $name: tpm=$tpm is unknown" ;;
	esac
	mkdir "$tmp/tpm"
	# Level 20 logs the bytes of every command.
	swtpm socket "${kind[@]}" --tpmstate "dir=$tmp/tpm" --ctrl "type=unixio,path=$socket" \
		--flags not-need-init,startup-clear --terminate \
		--log "file=$swtpm_log,level=20,truncate" >"$dir/swtpm.out" 2>&1 3>&- &
	swtpm_pid=$!
	for ((i = 0; i < 100; i++)); do
		[[ ! -S $socket ]] || return 0
		kill -0 "$swtpm_pid" 2>/dev/null || break
		sleep 0.1
	done
	die "case $name: swtpm did not start: $(tail -n 1 "$dir/swtpm.out")"
}

# Appends a second archive with the files of this case to the initial file system.
make_guest_files() {
	local extra=$tmp/extra program
	mkdir "$extra"
	merged_usr "$extra"
	printf '%s=%q\n' kernel "$kernel" arch "$arch" flavour "$flavour" >"$extra/env"
	[[ " $programs " != *" build/hwrngd "* ]] || cat "$tests/daemon.sh" >"$extra/case.sh"
	cat ${like:+"$cases/$like.sh"} "$cases/$name.sh" >>"$extra/case.sh"
	for program in $programs; do
		program=$(program_file "$program")
		copy_program "$extra" "$program"
	done
	{ cat "$initramfs"; pack "$extra"; } >"$tmp/initramfs"
}

make_command() {
	local console=ttyS port second=(-serial chardev:ktap)
	[[ $flavour != debug ]] || memory=1024
	command+=(-nodefaults -no-user-config -display none -no-reboot -smp 2 -m "$memory" -cpu "$cpu")
	case $arch in
	amd64)
		command+=(-machine "q35,accel=$accel")
		# On a busy host a guest measures wrong values at boot. Without these options its timer
		# looks broken, delays have no length, and with the TSC the time later jumps by many seconds.
		cmdline+=' no_timer_check tsc=unstable lpj=10000000'
		;;
	arm64) command+=(-machine "virt,accel=$accel") console=ttyAMA ;;
	ppc64el)
		# Without these, QEMU warns about each protection against speculation that TCG does not have.
		command+=(-machine "pseries,accel=$accel,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off")
		console=hvc
		;;
	# This machine has only one serial port.
	riscv64) command+=(-machine "virt,accel=$accel") second=(-device "pci-serial,chardev=ktap") ;;
	esac
	port=hwrngd.ktap=${console}1
	if [[ $interactive ]]; then
		command+=(-serial mon:stdio -serial null)
		port+=' hwrngd.shell'
	else
		command+=(-chardev "file,id=console,path=$console_log,append=on" -serial chardev:console
			-chardev "file,id=ktap,path=$ktap_log,append=on" "${second[@]}")
	fi
	mkfifo "$monitor".{in,out}
	command+=(-chardev "pipe,id=monitor,path=$monitor" -mon chardev=monitor)
	load_kernel "console=${console}0 panic=-1 panic_on_warn=1 oops=panic $port $cmdline"
	if [[ $rng != none ]]; then
		command+=(-object "rng-random,id=rng,filename=$rng_file" -device "virtio-rng-pci,rng=rng")
	fi
	if [[ $tpm != none ]]; then
		case $arch in
		arm64) tpm_device='tpm-tis-device' ;;
		ppc64el) tpm_device='tpm-spapr' ;;
		esac
		command+=(-chardev "socket,id=tpm,path=$tmp/tpm.sock" -tpmdev 'emulator,id=tpm,chardev=tpm'
			-device "$tpm_device,tpmdev=tpm")
	fi
	# shellcheck disable=SC2206
	command+=($qemu_options)
}

# probe_kvm ROOT INITRAMFS: succeeds if a guest under KVM prints its first line within seconds. It is not
# enough that /dev/kvm exists, because every guest may hang nevertheless.
probe_kvm() {
	local command
	mapfile -t command < <("$tests/qemu" "$("$tests/kernel" "$kernel" qemu)" --arch "$arch")
	timeout 20 "${command[@]}" -nodefaults -no-user-config -display none -no-reboot -m 512 -cpu max \
		-machine q35,accel=kvm -kernel "$1/vmlinuz" -initrd "$2" \
		-append "panic=-1 hwrngd.ktap=ttyS1" -serial null -serial stdio </dev/null 2>/dev/null | grep -q KTAP
}

# Messages of a kernel about an internal error. Only some of these errors end in a panic.
splat='Kernel panic|BUG: |kernel BUG at|BUG [a-z][^ ]* \(|WARNING: |Oops: |general protection fault'
splat+='|KASAN|UBSAN|ODEBUG: |refcount_t: |list_(add|del) corruption'
splat+='|kmemleak: [0-9]+ new|kmemleak: Kernel memory leak detector disabled'
splat+='|INFO: task .* blocked|detected stall|possible (circular|recursive|irq) lock'
splat+='|inconsistent lock state|suspicious RCU usage|INFO: trying to register non-static key'

judge() {
	local pass fail skip wrong host host_fail host_skip host_wrong verdict=ok first
	[[ -e $ktap_log ]] || : >"$ktap_log"
	read -r pass fail skip wrong < <(read_ktap "$ktap_log")
	if ((ktap_count)); then
		read -r host host_fail host_skip host_wrong < <(read_ktap "$dir/host.log")
		pass=$((pass + host)) fail=$((fail + host_fail)) skip=$((skip + host_skip))
		: "${wrong:=$host_wrong}"
	fi
	if ((status == 124 || status == 137)); then
		wrong="time limit of $limit s${wrong:+; $wrong}"
	elif ((status)); then
		wrong="QEMU ended with $status: $(tail -n 1 "$dir/qemu.log")"
	fi
	first=$(grep -a -m 1 -oE "($splat).*" "$console_log" | tr -d '\r' || true)
	[[ ! $first ]] || wrong="the kernel complained: $first${wrong:+; $wrong}"
	[[ ! $wrong ]] || fail=$((fail + 1))
	((fail == 0)) || verdict=FAIL
	verdict "$verdict" "$wrong" "$pass" "$fail" "$skip"
}

# Prints the kernel's complaint and the lines after it; without a complaint, the last lines.
show_console() {
	tr -d '\r' <"$console_log" | grep -a -m 1 -A 40 -E "$splat" || last_words | tr -d '\r'
} 2>/dev/null

# verdict WORD REASON PASSED FAILED SKIPPED: prints a line for the reader, with details after a failure,
# and writes a line for the table.
verdict() {
	local elapsed=$(((${EPOCHREALTIME//[.,]/} - start) / 100000)) files=("$dir/ktap.log" "$dir/host.log")
	judged=1
	echo "$1 $kernel $name $3 $4 $5" >>"$results"
	if [[ $1 == skip ]]; then
		echo "$kernel $name: $2" >>"$skips"
	else
		{ cat "${files[@]}" 2>/dev/null || true; } | tr -d '\r' |
			sed -nE "s/^ok [0-9]+ (.*)  ?# SKIP (.*)/$kernel $name: \1: \2/p" >>"$skips"
	fi
	{
		printf '%s %s %s %d tests %d.%d s%s%s\n' "$1" "$kernel" "$name" $(($3 + $4 + $5)) \
			$((elapsed / 10)) $((elapsed % 10)) "${booted_again:+, with a second boot}" "${2:+: $2}"
		{ cat "${files[@]}" 2>/dev/null || true; } | tr -d '\r' | sed -n 's/^# tell: /     /p'
		if [[ $1 == FAIL ]]; then
			# The failed results with the expected values, for a reader who has only this output.
			{ cat "${files[@]}" 2>/dev/null || true; } | tr -d '\r' |
				awk '/^(not )?ok|^1\.\./ { lines = /^not/ ? 6 : 0 } lines-- > 0'
			echo "---- the guest's last words:"
			show_console || true
			echo "---- results, in $dir:"
			{ cat "${files[@]}" 2>/dev/null || true; } | tr -d '\r' | tail -n 60
			echo "----"
		fi
	} >"$tmp.report"
	# With a lock, because a long report does not go through a pipe in one piece.
	flock "$work/stdout" cat "$tmp.report"
	rm -f "$tmp.report"
}

# print_table COLUMNS ROWS [MEANT]: prints the table of $results and the totals, and fails if there is a
# failure. A cell without a result is "lost", which counts as a failure. MEANT may be a file with the cells
# that must have a result, in lines "COLUMN ROW"; then the others are "-".
print_table() {
	awk -v columns="$1" -v rows="$2" -v meant="${3:-}" -v skips="$skips" '
		{ cell[$2, $3] = $1; pass += $4; fail += $5; skip += $6 }
		END {
			while (meant != "" && (getline line < meant) > 0) wanted[line]
			n = split(columns, column, " ")
			m = split(rows, row, " ")
			printf "\n%-28s", ""
			for (i = 1; i <= n; i++) printf "%-10s", column[i]
			for (j = 1; j <= m; j++) {
				printf "\n%-28s", row[j]
				for (i = 1; i <= n; i++) {
					word = cell[column[i], row[j]]
					if (word == "" && meant != "" && !((column[i] " " row[j]) in wanted)) word = "-"
					else if (word == "") { word = "lost"; fail++ }
					printf "%-10s", word
				}
			}
			print ""
			while ((getline line < skips) > 0) print "skipped: " line
			printf "%d passed, %d failed, %d skipped\n", pass, fail, skip
			exit !(fail == 0 && pass > 0)
		}' "$results"
}
