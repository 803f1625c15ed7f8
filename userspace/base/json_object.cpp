// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_object.h"

namespace hwrngd {

nlohmann::ordered_json json_object(std::initializer_list<JsonMember> members)
{
	auto object = nlohmann::ordered_json::object();
	for (const auto &[name, value] : members)
		object[name] = value;
	return object;
}

} // namespace hwrngd
