# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
description="hwrngd without a TPM"
like=hwrngd
tpm=none
