// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/shell_word.h"

namespace hwrngd {

std::string for_shell(const std::string &text)
{
	constexpr const char *plain =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:@,=+%";
	if (!text.empty() && text.find_first_not_of(plain) == std::string::npos)
		return text;
	std::string quoted = "'";
	for (const char c : text)
		if (c == '\'')
			quoted += "'\\''";
		else
			quoted += c;
	return quoted + "'";
}

} // namespace hwrngd
