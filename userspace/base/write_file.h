// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/error.h"

#include <sys/types.h>

#include <filesystem>
#include <string_view>

namespace hwrngd {

/// Writes a file completely or not at all: writes a temporary file and renames it. If `path` exists
/// and is not a regular file (a pipe, a terminal), it is written directly. Fails with
/// ExitCode::io_error or not_permitted.
[[nodiscard]] Result<void> write_file(const std::filesystem::path &path, std::string_view contents);

/// The owner and the mode of a file.
struct Access {
	uid_t uid = 0;
	gid_t gid = 0;
	mode_t mode = 0644;
};

/// Like write_file(), but the file has this owner and mode as soon as it exists under its name.
[[nodiscard]] Result<void> write_file(const std::filesystem::path &path, std::string_view contents,
                                      const Access &access);

/// Removes a file. A missing file is not an error.
[[nodiscard]] Result<void> remove_file(const std::filesystem::path &path);

} // namespace hwrngd
