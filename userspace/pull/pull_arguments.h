// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of hwrngd-pull: control/programs.cpp writes it, hwrngd_pull.cpp reads it.
#pragma once

#include "base/error.h"

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace hwrngd {

/// Which machine hwrngd-pull asks, and how.
struct PullArguments {
	struct Egd {
		std::string address; ///< as parse_egd_address() takes it
		// Files in PEM; empty: none.
		std::string tls_ca = {};
		std::string tls_certificate = {};
		std::string tls_key = {};
		bool operator==(const Egd &) const = default;
	};
	struct Ssh {
		std::string address; ///< as parse_ssh_address() takes it
		std::string identity = {};
		std::string known_hosts = {};
		bool operator==(const Ssh &) const = default;
	};

	std::string name; ///< of the source, for messages; may be empty
	std::variant<Egd, Ssh> peer;

	bool operator==(const PullArguments &) const = default;

	/// The words that follow the name of the program.
	[[nodiscard]] std::vector<std::string> to_words() const;

	/// The reverse. Errors: ExitCode::usage, with a message that says what is wrong.
	[[nodiscard]] static Result<PullArguments> from_words(std::span<const std::string> words);
};

} // namespace hwrngd
