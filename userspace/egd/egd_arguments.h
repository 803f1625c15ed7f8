// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of hwrngd-egd: process/egd_process.cpp writes it, hwrngd_egd.cpp reads it.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hwrngd {

/// What hwrngd passes to its EGD server. Every field is always passed.
struct EgdArguments {
	/// One letter for each listener: 'p', plain; 't', TLS; 'n', clients are disconnected at once.
	std::string kinds;
	unsigned max_clients = 0;
	unsigned max_clients_per_address = 0;
	uint64_t bytes_per_second = 0;       ///< of each client; 0: no limit
	uint64_t total_bytes_per_second = 0; ///< of all clients; 0: no limit
	std::chrono::milliseconds idle{0};   ///< 0: no limit
	// Paths of the files that TLS needs, only for messages; empty without TLS.
	std::string tls_certificate;
	std::string tls_key;
	std::string tls_client_ca;

	bool operator==(const EgdArguments &) const = default;

	/// The arguments after the program's name.
	[[nodiscard]] std::vector<std::string> to_words() const;

	/// Parses what to_words() returned. Errors: ExitCode::usage, with a message that says what is
	/// wrong.
	[[nodiscard]] static Result<EgdArguments> from_words(std::span<const std::string> words);
};

} // namespace hwrngd
