# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
description="nobody but the kernel"
like=hwrngd
programs=

run() { :; }
