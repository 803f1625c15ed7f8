// SPDX-License-Identifier: GPL-2.0-or-later
// Where this build has the programs and files that tests use. Only paths.cpp is compiled with these
// paths, so that the compiler's cache serves the tests of every clone.
#pragma once

namespace hwrngd::test {

extern const char *const hwrngctl_path;
extern const char *const hwrngd_path;
extern const char *const hwrngd_pull_path;
extern const char *const rngtest_path;
extern const char *const hwrngd_conf_path;
extern const char *const status_schema_path;

} // namespace hwrngd::test
