# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: haveged beside hwrngd"
like=doctor
kernels="7.3" kernels_why="the tool is tested, not the kernel"
programs="build/hwrngctl build/hwrngd /usr/bin/jq"

before() { with_daemons haveged; }
guest() {
	start
	check "hwrngd runs" test "$daemon"
	check_equal "nothing is to be done" nothing "$(first)"
	LD_LIBRARY_PATH=/usr/bin /usr/bin/haveged -F >/tmp/haveged 2>&1 &
	haveged=$!
	check "haveged runs" eventually grep -qx haveged /proc/$haveged/comm
	check_equal "two at once" two-feeders "$(first)"
	check "following it" follow
	wait "$haveged" # which was asked to end, and may not have yet
	check_match "hwrngd is left" '^Nothing needs doing: .* hwrngd tests and feeds' "$(hwrngctl doctor)"
	kill "$daemon"
	wait "$strace"
}
