# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl top and status on a real terminal: 80x24 and 200x50, resized, interrupted, without colour"
programs="build/hwrngd build/hwrngctl /usr/bin/tmux /usr/bin/jq /lib/terminfo/s/screen /lib/terminfo/v/vt100
	/usr/lib/locale/C.utf8/LC_CTYPE"
kernels=7.3 kernels_why="it does not depend on the kernel"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
timeout=480

terminals=0
terminal() { tmux -u -L "top$terminals" "$@"; }
# begin_terminal COLUMNS LINES [TYPE]: starts a terminal with a shell.
begin_terminal() {
	terminal kill-server
	terminals=$((terminals + 1))
	terminal -f /dev/null new-session -d -x "$1" -y "$2" sh
	terminal set-option -g status off
	type "export TERM=${3:-screen} PS1='READY '; clear"
	eventually shows '^READY *$'
}
# type WORDS: types the words and Enter. key KEY...: presses the keys.
type() { terminal send-keys -l "$1" && terminal send-keys Enter; }
key() { terminal send-keys "$@"; }
screen() { terminal capture-pane -p; }
shows() { screen | grep -qE -- "$1"; }
shows_not() { ! shows "$1"; }
look() { check "$1" eventually shows "$2" || diag "$(screen)"; }
coloured() { terminal capture-pane -e -p | grep -qE '^.\[[0-9;]*mnote'; }
# picture NAME: saves what the terminal shows, for after() to draw.
picture() { diag "$(terminal capture-pane -e -p | sed "/^READY/d; s/^/$1: /")"; }
# fits COLUMNS LINES: checks that the screen is full, and that no line is wrapped.
fits() {
	screen >/tmp/screen
	check_equal "$1x$2: the last line shows the keys" "q quit  h help" "$(tail -n 1 /tmp/screen | cut -c 1-14)"
	check_equal "$1x$2: all lines are used" "$2" "$(wc -l </tmp/screen)"
	check "$1x$2: no line is too wide" test "$(awk '{ if (length > most) most = length } END { print most }' /tmp/screen)" -le "$1"
}
stop_daemon() {
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
}

guest() {
	mkdir -p /usr/share/terminfo/s /usr/share/terminfo/v /usr/lib/locale/C.utf8 /etc
	mv /usr/bin/LC_CTYPE /usr/lib/locale/C.utf8/
	export LC_CTYPE=C.UTF-8 TERM=screen # tmux needs them
	mv /usr/bin/screen /usr/share/terminfo/s/
	mv /usr/bin/vt100 /usr/share/terminfo/v/
	mkfifo /tmp/generator
	cat /dev/urandom >/tmp/generator &
	writer=$!
	printf '%s\n' 'reseed_interval = 0.5' '[source.usb]' 'path = "/tmp/generator"' >/etc/hwrngd.conf

	check "a terminal of 80x24 starts" begin_terminal 80 24 || return
	type "hwrngctl top --delay 0.5"
	look "top says that no daemon is running" '^hwrngd is not running, so nothing is tested'
	start
	look "top shows the daemon" '^hwrngd [0-9.]+ \(pid [0-9]+\), running for [0-9]+ s, [0-9]+ feeds'
	look "top shows the event of its start" '^..:..:.. hwrngd is running as pid [0-9]+'
	look "top shows the rate and latency of a hwrng" \
		'^[* ]virtio_rng.0 +healthy +[0-9.]+k? +[0-9.]+k? +0 +0 +0  [#.]{8} [0-9.]+[mu]?s'
	look "top shows a generator" '^ usb +healthy +'
	fits 80 24
	diag "$(screen)"

	kill "$writer"
	rm /tmp/generator
	look "top shows the event of a removed generator" '^..:..:.. usb: (suspect|absent|quarantined), was healthy: '
	picture top
	key '>' '>'
	look "> sorts by another column" 'every 0.5 s, by bytes read$'
	key R
	look "R reverses the order" 'by bytes read, reversed$'
	key h
	look "h shows the help" '^  < > +sort by another column'
	key h
	key s
	look "s asks for the seconds" '^Seconds between updates \(now 0.5\):'
	type soon
	look "a word is refused as seconds" '^"soon" is not a number of seconds from 0.1 to 3600'
	key s
	type 1.5
	look "a number is accepted as seconds" 'every 1.5 s'
	key x
	look "an unknown key is reported" '^unknown key; h lists the keys'

	terminal resize-window -x 200 -y 50
	look "200x50: there are more columns" 'KIND +USED BY +HEALTH +READ/s +FED/s +DRAWN/s +CREDITED +BLOCKS'
	look "200x50: a row shows the users of a hwrng" '^\*[a-z_.0-9]+ +hwrng +kernel\+hwrngd +healthy'
	key '<'
	eventually shows '^q quit'
	fits 200 50
	diag "$(screen)"
	terminal resize-window -x 80 -y 24
	check "80x24: the additional columns are gone" eventually shows_not 'USED BY'
	fits 80 24
	terminal resize-window -x 20 -y 5
	look "20x5: top still runs" '^hwrngctl top - '
	terminal resize-window -x 80 -y 24
	key C-c
	look "Ctrl-C ends top" '^READY'
	type 'echo "code $?"; stty -a | tr " " "\n" | grep -E "^-?(echo|icanon)$" | tr "\n" " "'
	look "the exit code is that of the signal" '^code 130$'
	look "the terminal is restored" 'icanon.* echo( |$)'

	stop_daemon
	echo 'reseed_interval = 0.5' >/etc/hwrngd.conf
	start
	check "a terminal without colour starts, as on a serial line" begin_terminal 80 24 vt100
	type "hwrngctl top"
	look "top works without colour" '^[* ]virtio_rng.0 +healthy'
	key q
	look "q ends top" '^READY'
	type 'TERM=nonsense hwrngctl top; echo "code $?"'
	look "an unknown terminal is reported" 'the terminal "nonsense" \(TERM\) is not known here'
	look "the exit code is 69" '^code 69$'
	check "a source is healthy" becomes virtio_rng.0 healthy
	type 'clear; hwrngctl status'
	look "status has a row for the hwrng" '^virtio_rng.0 +hwrng +[0-9]+  (kernel\+)?hwrngd +healthy +[0-9]+ s +[0-9]+$'
	look "status ends with a summary" '^The CRNG is ready\. The kernel uses [a-z_.0-9]+\. hwrngd has [0-9] healthy sources\.'
	look "status fits in 24 lines: its first line is still there" '^Kernel +'
	picture status
	begin_terminal 200 50
	type 'hwrngctl status'
	look "status ends with a summary at 200x50" '^The CRNG is ready\. The kernel uses [a-z_.0-9]+\. hwrngd has [0-9] healthy sources\.'

	type 'clear; hwrngctl doctor --all'
	look "doctor --all shows notes" 'entropy-avail-256'
	check "doctor uses colours on a terminal" coloured
	type 'clear; NO_COLOR=1 hwrngctl doctor --all'
	look "doctor --all shows notes with NO_COLOR" 'entropy-avail-256'
	check_fails "doctor uses no colours with NO_COLOR" 1 coloured

	check_fails "top refuses to write to a file" 2 hwrngctl top
	hwrngctl top --batch --count 2 --delay 0.6 >/tmp/batch
	check_equal "top --batch writes one screen after another" 2 "$(grep -c '^hwrngctl top - ' /tmp/batch)"
	# On a busy host the daemon may feed only every few seconds.
	hwrngctl top --output json --count 2 --delay 8 >/tmp/json
	check_equal "top --output json writes one line per update" 2 "$(jq -s length /tmp/json)"
	check "the JSON has rates" jq -se '[.[1].sources[].bytes_read_per_second // 0] | max > 0' /tmp/json
	terminal kill-server
	stop_daemon
}

# draw NAME: draws a saved screen. To renew a picture of README.md, copy its .screen and .svg from here
# into userspace/pictures.
draw() { "$tests/picture" 80 <"$dir/$1.screen" >"$dir/$1.svg" && [ "$(grep -c '<text' "$dir/$1.svg")" -gt 10 ]; }
after() {
	for drawn in top status; do
		sed -n "s/^# $drawn: //p" "$ktap_log" | tr -d '\r' >"$dir/$drawn.screen"
		check "the picture of $drawn can be drawn" draw "$drawn"
	done
}
