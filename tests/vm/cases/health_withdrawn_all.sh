# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
description="health tests: health_withdrawn on the other kernels"
like=health_withdrawn
long=1
kernels="5.10 6.12 7.3" kernels_why="health_withdrawn is the case for this kernel"
