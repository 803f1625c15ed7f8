// SPDX-License-Identifier: GPL-2.0-or-later
// The programs that others of ours start.
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

/// One that nobody starts by hand: in `folder`, where hwrngd is, if both were built there, else
/// where such programs are.
[[nodiscard]] std::filesystem::path hidden_program(const std::filesystem::path &folder,
                                                   const std::string &name);

/// What prints the bytes of configured source `name`, and its arguments: its command, or, if it is
/// another machine, hwrngd-pull, for which `folder` is as above. None for other sources.
[[nodiscard]] std::vector<std::string> words_of(const Root &root,
                                                const std::filesystem::path &folder,
                                                const std::string &name,
                                                const SourceConfig &source);

} // namespace hwrngd
