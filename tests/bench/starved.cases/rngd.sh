# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="rngd of rng-tools5, which finds no /dev/hwrng and uses nothing else"
like=hwrngd
programs=$daemons/rngd

run() { rngd -f; }
