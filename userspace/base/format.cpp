// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/format.h"

template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char> &, fmt::string_view,
                                            fmt::format_args, fmt::detail::locale_ref);
