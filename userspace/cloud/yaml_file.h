// SPDX-License-Identifier: GPL-2.0-or-later
// A file of YAML, with its errors for people.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <string>

#include <yaml-cpp/yaml.h>

namespace hwrngd {

struct YamlFile {
	std::filesystem::path path; ///< empty: there is none
	YAML::Node root;
};

/// "FILE, line N".
[[nodiscard]] std::string line_of(const std::filesystem::path &path, const YAML::Mark &mark);

/// Reads a file that is a table, or empty; its merge keys (yaml.org/type/merge.html) are taken.
/// Errors: ExitCode::usage, with its line and nothing that the file has in it, which may be secret.
[[nodiscard]] Result<YamlFile> read_yaml(const std::filesystem::path &path);

} // namespace hwrngd
