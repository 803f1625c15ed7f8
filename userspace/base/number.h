// SPDX-License-Identifier: GPL-2.0-or-later
// Parses decimal numbers.
#pragma once

#include "base/error.h"

#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace hwrngd {

/// Parses all of `text` as a decimal number; std::nullopt if it is not one, or out of range.
template <typename Number> [[nodiscard]] std::optional<Number> parse_number(std::string_view text)
{
	Number value = 0;
	const auto *const end = text.begin() + text.size();
	const auto [last, error] = std::from_chars(text.begin(), end, value);
	return error == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

/// Like parse_number(), but the number must be at least `least`. Errors: ExitCode::usage, with a
/// message that names `what` and the allowed values.
template <typename Number>
[[nodiscard]] Result<Number> require_number(std::string_view what, std::string_view text,
                                            Number least = 0)
{
	if (const auto value = parse_number<Number>(text); value && *value >= least)
		return *value;
	return fail(ExitCode::usage, fmt::format("{}: \"{}\" is not a whole number from {} to {}", what,
	                                         text, least, std::numeric_limits<Number>::max()));
}

} // namespace hwrngd
