// SPDX-License-Identifier: GPL-2.0-or-later
// libfmt, which is headers alone here (CMakeLists.txt says why); what is most of it is compiled
// once, in format.cpp, and not for each file.
#pragma once

#include <fmt/format.h>

extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char> &, fmt::string_view,
                                                   fmt::format_args, fmt::detail::locale_ref);
