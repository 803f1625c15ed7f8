# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="jitterentropy-rngd"
like=hwrngd
programs=$daemons/jitterentropy-rngd

run() { jitterentropy-rngd -v; }
