# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_remove: modules are unloaded and a TPM is unplugged while readers run"
programs="build/kselftest/hwrng_remove /usr/bin/swtpm"

before() { build_kselftest; }

guest() { nested hwrng_remove; }
