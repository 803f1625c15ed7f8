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

/// What `hwrngctl check openstack` was asked for.
struct OpenStackArguments {
	bool json = false;
	bool all = false; ///< also what is in order
	CloudOptions cloud;
	unsigned timeout = 30; ///< s for each request, at least 1

	bool operator==(const OpenStackArguments &) const = default;

	/// The words that follow the name of the program.
	[[nodiscard]] std::vector<std::string> to_words() const;

	/// The reverse. Errors: ExitCode::usage, with a message that says what is wrong.
	[[nodiscard]] static Result<OpenStackArguments> from_words(std::span<const std::string> words);
};

} // namespace hwrngd
