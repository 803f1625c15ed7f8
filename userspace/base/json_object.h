// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <initializer_list>

#include <nlohmann/json.hpp>

namespace hwrngd {

struct JsonMember {
	const char *name;
	nlohmann::ordered_json value;
};

/// A JSON object, in this order. As nlohmann's own lists in lists of anything, but for these the
/// compiler makes two to three times as much, everywhere.
[[nodiscard]] nlohmann::ordered_json json_object(std::initializer_list<JsonMember> members);

} // namespace hwrngd
