# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_switch: another source is selected while /dev/hwrng is read"
programs="build/kselftest/hwrng_switch"

before() { build_kselftest; }

guest() { nested hwrng_switch; }
