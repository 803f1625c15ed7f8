# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
description="cpu_rng: RDRAND on AMD family 16h is refused"
like=cpu_rng_amd_15h
cpu=max,vendor=AuthenticAMD,family=22,model=48,-rdseed
family=22
