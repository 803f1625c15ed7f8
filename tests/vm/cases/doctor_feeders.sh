# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: haveged beside hwrngd"
like=doctor
kernels="7.3" kernels_why="the tool is tested, not the kernel"
programs="build/hwrngctl build/hwrngd /usr/bin/jq"

before() { with_daemons haveged; }
guest() {
	start
	check "hwrngd is running" test "$daemon"
	check_equal "doctor reports nothing" nothing "$(first)"
	LD_LIBRARY_PATH=/usr/bin /usr/bin/haveged -F >/tmp/haveged 2>&1 &
	haveged=$!
	check "haveged is running" eventually grep -qx haveged /proc/$haveged/comm
	check_equal "doctor reports two feeders" two-feeders "$(first)"
	check "doctor's commands succeed" follow
	wait "$haveged" # it was told to end, but may still be running
	check_match "doctor says that hwrngd feeds" '^Nothing needs doing: .* hwrngd tests the sources and feeds the pool' "$(hwrngctl doctor)"
	kill "$daemon"
	wait "$strace"
}
