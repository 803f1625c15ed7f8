// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <initializer_list>

#include <nlohmann/json.hpp>

namespace hwrngd {

struct JsonMember {
	const char *name;
	nlohmann::ordered_json value;
};

/// A JSON object with its members in this order. Used instead of nlohmann's nested initializer
/// lists, because for those the compiler generates two to three times as much code.
[[nodiscard]] nlohmann::ordered_json json_object(std::initializer_list<JsonMember> members);

} // namespace hwrngd
