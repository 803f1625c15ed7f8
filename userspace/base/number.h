// SPDX-License-Identifier: GPL-2.0-or-later
// Parses decimal numbers.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace hwrngd {

/// Parses all of `text` as a decimal number; std::nullopt if it is not one, or out of range.
template <typename Number> [[nodiscard]] std::optional<Number> parse_number(std::string_view text)
{
	Number value = 0;
	const auto *const end = text.data() + text.size();
	const auto [last, error] = std::from_chars(text.data(), end, value);
	return error == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

} // namespace hwrngd
