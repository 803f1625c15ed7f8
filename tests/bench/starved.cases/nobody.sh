# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
description="only the kernel, without a daemon"
like=hwrngd
programs=

run() { :; }
