// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/error.h"

#include <sys/types.h>

#include <filesystem>
#include <string_view>

namespace hwrngd {

/// Writes a file, all of it or nothing: under another name first, then renamed. What is there and
/// not a regular file (a pipe, a terminal) is written directly. Fails with ExitCode::io_error, or
/// not_permitted.
[[nodiscard]] Result<void> write_file(const std::filesystem::path &path, std::string_view contents);

/// Whose a file is to be, and for whom.
struct Access {
	uid_t uid = 0;
	gid_t gid = 0;
	mode_t mode = 0644;
};

/// As write_file(), for a file that others go by: it has that mode and owner from the beginning.
[[nodiscard]] Result<void> write_file(const std::filesystem::path &path, std::string_view contents,
                                      const Access &access);

/// Removes a file; that there is none is no error.
[[nodiscard]] Result<void> remove_file(const std::filesystem::path &path);

} // namespace hwrngd
