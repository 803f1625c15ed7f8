// SPDX-License-Identifier: GPL-2.0-or-later
// The programs that our other programs start.
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "control/config.h"

#include <filesystem>
#include <string>
#include <vector>

namespace hwrngd {

/// The folder that this program is in.
[[nodiscard]] Result<std::filesystem::path> own_folder();

/// The path of a program that is not started by hand. It is in `folder`, the folder of hwrngd, if
/// both were built there; otherwise in libexec.
[[nodiscard]] std::filesystem::path hidden_program(const std::filesystem::path &folder,
                                                   const std::string &name);

/// The program that prints the bytes of the configured source `name`, and its arguments: the
/// source's command, or hwrngd-pull if it is another machine (`folder` as above). Empty for other
/// sources.
[[nodiscard]] std::vector<std::string> words_of(const Root &root,
                                                const std::filesystem::path &folder,
                                                const std::string &name,
                                                const SourceConfig &source);

} // namespace hwrngd
