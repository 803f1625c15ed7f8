// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of hwrngd-openstack: command/check_openstack.cpp writes it, hwrngd_openstack.cpp
// reads it.
#pragma once

#include "base/error.h"
#include "cloud/clouds.h"

#include <span>
#include <string>
#include <vector>

namespace hwrngd {

/// The options of `hwrngctl check openstack`.
struct OpenStackArguments {
	bool json = false;
	bool all = false; ///< also show flavors and images that are in order
	CloudOptions cloud;
	unsigned timeout = 30; ///< in seconds, for each request; at least 1

	bool operator==(const OpenStackArguments &) const = default;

	/// The arguments after the program's name.
	[[nodiscard]] std::vector<std::string> to_words() const;

	/// Parses what to_words() returned. Errors: ExitCode::usage, with a message that says what is
	/// wrong.
	[[nodiscard]] static Result<OpenStackArguments> from_words(std::span<const std::string> words);
};

} // namespace hwrngd
