# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="haveged"
like=hwrngd
programs=$daemons/haveged

run() { LD_LIBRARY_PATH=$(dirname "$(find / -xdev -name 'libhavege.so.2' | head -n 1)") haveged -F; }
