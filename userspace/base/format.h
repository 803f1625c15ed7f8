// SPDX-License-Identifier: GPL-2.0-or-later
// libfmt, used as headers only (CMakeLists.txt says why). Its largest function is compiled once, in
// format.cpp, instead of in every file.
#pragma once

#include <fmt/format.h>

extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char> &, fmt::string_view,
                                                   fmt::format_args, fmt::detail::locale_ref);
