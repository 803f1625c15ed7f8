# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl top and status on a real terminal: 80x24 and 200x50, resized, interrupted, without colour"
programs="build/hwrngd build/hwrngctl /usr/bin/tmux /usr/bin/jq /lib/terminfo/s/screen /lib/terminfo/v/vt100
	/usr/lib/locale/C.utf8/LC_CTYPE"
kernels=7.3 kernels_why="nothing of it depends on the kernel"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
timeout=480

terminals=0
terminal() { tmux -u -L "top$terminals" "$@"; }
# begin_terminal COLUMNS LINES [TYPE]: with a shell in it.
begin_terminal() {
	terminal kill-server
	terminals=$((terminals + 1))
	terminal -f /dev/null new-session -d -x "$1" -y "$2" sh
	terminal set-option -g status off
	type "export TERM=${3:-screen} PS1='READY '; clear"
	eventually shows '^READY *$'
}
# type WORDS: and Enter; key KEY...: as they are.
type() { terminal send-keys -l "$1" && terminal send-keys Enter; }
key() { terminal send-keys "$@"; }
screen() { terminal capture-pane -p; }
shows() { screen | grep -qE -- "$1"; }
shows_not() { ! shows "$1"; }
look() { check "$1" eventually shows "$2" || diag "$(screen)"; }
coloured() { terminal capture-pane -e -p | grep -qE '^.\[[0-9;]*mnote'; }
# picture NAME: what the terminal shows, for after() to draw.
picture() { diag "$(terminal capture-pane -e -p | sed "/^READY/d; s/^/$1: /")"; }
# fits COLUMNS LINES: nothing is wrapped, nothing is beyond.
fits() {
	screen >/tmp/screen
	check_equal "$1x$2: its last line has the keys" "q end  h help" "$(tail -n 1 /tmp/screen | cut -c 1-13)"
	check_equal "$1x$2: it is full" "$2" "$(wc -l </tmp/screen)"
	check "$1x$2: and no wider" test "$(awk '{ if (length > most) most = length } END { print most }' /tmp/screen)" -le "$1"
}
stop_daemon() {
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends in order" 0 $?
}

guest() {
	mkdir -p /usr/share/terminfo/s /usr/share/terminfo/v /usr/lib/locale/C.utf8 /etc
	mv /usr/bin/LC_CTYPE /usr/lib/locale/C.utf8/
	export LC_CTYPE=C.UTF-8 TERM=screen # without which there is no tmux
	mv /usr/bin/screen /usr/share/terminfo/s/
	mv /usr/bin/vt100 /usr/share/terminfo/v/
	mkfifo /tmp/generator
	cat /dev/urandom >/tmp/generator &
	writer=$!
	printf '%s\n' 'reseed_interval = 0.5' '[source.usb]' 'path = "/tmp/generator"' >/etc/hwrngd.conf

	check "a terminal of 80x24" begin_terminal 80 24 || return
	type "hwrngctl top --delay 0.5"
	look "without a daemon it says so" '^hwrngd is not running, so nothing is tested'
	start
	look "the daemon is there" '^hwrngd [0-9.]+ \(pid [0-9]+\), for [0-9]+ s, [0-9]+ feeds'
	look "and its start" '^..:..:.. hwrngd runs, as pid [0-9]+'
	look "the rate and latency of a hwrng" \
		'^[* ]virtio_rng.0 +healthy +[0-9.]+k? +[0-9.]+k? +0 +0 +0  [#.]{8} [0-9.]+[mu]?s'
	look "a generator" '^ usb +healthy +'
	fits 80 24
	diag "$(screen)"

	kill "$writer"
	rm /tmp/generator
	look "a generator that goes is told" '^..:..:.. usb: (suspect|absent|quarantined), was healthy: '
	picture top
	key '>' '>'
	look "it is ordered by another column" 'every 0.5 s, by bytes read$'
	key R
	look "and the other way round" 'by bytes read, reversed$'
	key h
	look "help" '^  < > +order by another column'
	key h
	key s
	look "it asks for the seconds" '^Seconds between looks \(now 0.5\):'
	type soon
	look "and does not take what is none" '^"soon": give seconds, from 0.1 to 3600'
	key s
	type 1.5
	look "but takes a number" 'every 1.5 s'
	key x
	look "a wrong key is told" '^no such key; h lists them'

	terminal resize-window -x 200 -y 50
	look "200x50: more columns" 'KIND +USED BY +HEALTH +READ/s +FED/s +DRAWN/s +CREDITED +BLOCKS'
	look "200x50: whose it is" '^\*[a-z_.0-9]+ +hwrng +kernel\+hwrngd +healthy'
	key '<'
	eventually shows '^q end'
	fits 200 50
	diag "$(screen)"
	terminal resize-window -x 80 -y 24
	check "80x24 again" eventually shows_not 'USED BY'
	fits 80 24
	terminal resize-window -x 20 -y 5
	look "20x5 is no reason to die" '^hwrngctl top - '
	terminal resize-window -x 80 -y 24
	key C-c
	look "Ctrl-C ends it" '^READY'
	type 'echo "code $?"; stty -a | tr " " "\n" | grep -E "^-?(echo|icanon)$" | tr "\n" " "'
	look "by the signal" '^code 130$'
	look "and the terminal is as it was" 'icanon.* echo( |$)'

	stop_daemon
	echo 'reseed_interval = 0.5' >/etc/hwrngd.conf
	start
	check "a terminal without colour, as a serial line has" begin_terminal 80 24 vt100
	type "hwrngctl top"
	look "works" '^[* ]virtio_rng.0 +healthy'
	key q
	look "q ends it" '^READY'
	type 'TERM=nonsense hwrngctl top; echo "code $?"'
	look "an unknown terminal is told" 'the terminal "nonsense" \(TERM\) is not known here'
	look "with its code" '^code 69$'
	check "a source is healthy" becomes virtio_rng.0 healthy
	type 'clear; hwrngctl status'
	look "status has a row of each source" '^virtio_rng.0 +hwrng +[0-9]+  (kernel\+)?hwrngd +healthy +[0-9]+ s +[0-9]+$'
	look "and ends with a judgement, in the same 24 lines" '^The CRNG is ready, the kernel uses [a-z_.0-9]+\. hwrngd has [0-9] healthy sources\.'
	look "of which the first is there still" '^Kernel +'
	picture status
	begin_terminal 200 50
	type 'hwrngctl status'
	look "and at 200x50" '^The CRNG is ready, the kernel uses [a-z_.0-9]+\. hwrngd has [0-9] healthy sources\.'

	type 'clear; hwrngctl doctor --all'
	look "doctor has its notes" 'entropy-avail-256'
	check "in colour, on a terminal" coloured
	type 'clear; NO_COLOR=1 hwrngctl doctor --all'
	look "and them again" 'entropy-avail-256'
	check_fails "but not against NO_COLOR" 1 coloured

	check_fails "a file is no terminal" 2 hwrngctl top
	hwrngctl top --batch --count 2 --delay 0.6 >/tmp/batch
	check_equal "there it is one after the other" 2 "$(grep -c '^hwrngctl top - ' /tmp/batch)"
	# A busy host's guest may feed but every few seconds.
	hwrngctl top --output json --count 2 --delay 8 >/tmp/json
	check_equal "in JSON, a line each" 2 "$(jq -s length /tmp/json)"
	check "with rates" jq -se '[.[1].sources[].bytes_read_per_second // 0] | max > 0' /tmp/json
	terminal kill-server
	stop_daemon
}

# Those in userspace/pictures are of such a run.
draw() { "$tests/picture" 80 <"$dir/$1.screen" >"$dir/$1.svg" && [ "$(grep -c '<text' "$dir/$1.svg")" -gt 10 ]; }
after() {
	for drawn in top status; do
		sed -n "s/^# $drawn: //p" "$ktap_log" | tr -d '\r' >"$dir/$drawn.screen"
		check "$drawn is drawn" draw "$drawn"
	done
}
