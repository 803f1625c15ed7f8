# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
description="cpu_rng: RDSEED on AMD Cyan Skillfish is refused"
like=cpu_rng_zen5
cpu=max,vendor=AuthenticAMD,family=23,model=71
identity="cpufamily:23 model:71 "
erratum="unreliable on AMD Cyan Skillfish"
