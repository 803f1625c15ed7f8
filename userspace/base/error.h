// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as values: a message for people, and the exit code that the error leads to.
#pragma once

#include "base/format.h"

#include <cerrno>
#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace hwrngd {

/// Exit codes of hwrngctl, as listed in its man page. 64, 69 and 75 are from sysexits.h; only
/// `ssh-serve` uses 64 and 75.
enum class ExitCode : int {
	done = 0,
	check_failed = 1,
	usage = 2,
	no_source = 3,
	not_permitted = 4,
	io_error = 5,
	bad_request = 64,
	unavailable = 69,
	try_later = 75,
	interrupted = 130,
};

struct Error {
	ExitCode code = ExitCode::io_error;
	std::string message;
	int number = 0; ///< the errno behind it, or 0
};

template <typename T> using Result = std::expected<T, Error>;

/// Returns an unexpected Error with the given code and message.
[[nodiscard]] inline std::unexpected<Error> fail(ExitCode code, std::string message)
{
	return std::unexpected(Error{code, std::move(message), 0});
}

/// Returns an unexpected Error for errno value `number`: "what: reason".
/// EPERM and EACCES are "not permitted"; ENODEV and ENXIO, a missing device, are "no source". All
/// others are "input or output", even ENOENT: the missing file may be any file, not only a source.
[[nodiscard]] inline std::unexpected<Error> fail_errno(int number, const std::string &what)
{
	auto code = ExitCode::io_error;
	if (number == EPERM || number == EACCES)
		code = ExitCode::not_permitted;
	else if (number == ENODEV || number == ENXIO)
		code = ExitCode::no_source;
	else if (number == EINTR)
		code = ExitCode::interrupted;
	return std::unexpected(
	    Error{code, fmt::format("{}: {}", what, std::generic_category().message(number)), number});
}

/// Returns `error`, which comes from opening a source of randomness, as an unexpected Error. If the
/// source is missing (ENOENT), the exit code becomes "no source".
[[nodiscard]] inline std::unexpected<Error> fail_source(Error error)
{
	if (error.number == ENOENT)
		error.code = ExitCode::no_source;
	return std::unexpected(std::move(error));
}

} // namespace hwrngd
