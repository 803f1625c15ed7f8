// SPDX-License-Identifier: GPL-2.0-or-later
#include "paths.h"

namespace hwrngd::test {

const char *const hwrngctl_path = HWRNGCTL;
const char *const hwrngd_path = HWRNGD;
const char *const hwrngd_pull_path = HWRNGD_PULL;
const char *const rngtest_path = RNGTEST;
const char *const hwrngd_conf_path = HWRNGD_CONF;
const char *const status_schema_path = STATUS_SCHEMA;

} // namespace hwrngd::test
