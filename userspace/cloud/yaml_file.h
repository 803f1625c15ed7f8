// SPDX-License-Identifier: GPL-2.0-or-later
// A YAML file, with error messages for people.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <string>

#include <yaml-cpp/yaml.h>

namespace hwrngd {

struct YamlFile {
	std::filesystem::path path; ///< empty if there is no file
	YAML::Node root;
};

/// "FILE, line N".
[[nodiscard]] std::string line_of(const std::filesystem::path &path, const YAML::Mark &mark);

/// Reads a file that contains a table, or nothing, and applies its merge keys
/// (yaml.org/type/merge.html). Errors: ExitCode::usage, with the line number, but without the
/// file's content, which may be secret.
[[nodiscard]] Result<YamlFile> read_yaml(const std::filesystem::path &path);

} // namespace hwrngd
