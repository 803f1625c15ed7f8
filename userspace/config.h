// SPDX-License-Identifier: GPL-2.0-or-later
// What the administrator has decided: /etc/hwrngd.conf, then /etc/hwrngd.conf.d/*.conf in the order
// of their names, in TOML (toml.io, 1.0). Of one key, the last file decides.
#pragma once

#include "error.h"
#include "root.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace hwrngd {

/// A table [source.NAME].
struct SourceConfig {
	/// `assessed`: bits of entropy in 1024 that the source was assessed to have, 0 to 1024. It is
	/// never credited with more.
	std::optional<unsigned> assessed;
};

struct Config {
	std::map<std::string, SourceConfig> sources;

	/// Bits in 1024 that `source` is credited with at most: 1024 if it was not assessed.
	[[nodiscard]] unsigned credit_bound(const std::string &source) const;
};

/// Reads all files there are; none is no error. Fails on the first that is no TOML, has a key that
/// nobody knows, or a value of the wrong type or out of range, with ExitCode::usage and a message
/// that names file and line.
[[nodiscard]] Result<Config> read_config(const Root &root);

/// Writes what `source` was assessed to have, bits in 1024, into a file of its own, whole or not at
/// all, and returns its path.
[[nodiscard]] Result<std::filesystem::path>
write_assessed(const Root &root, const std::string &source, unsigned assessed);

} // namespace hwrngd
