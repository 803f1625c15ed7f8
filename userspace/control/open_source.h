// SPDX-License-Identifier: GPL-2.0-or-later
// From what the inventory lists to what can be read.
#pragma once

#include "control/inventory.h"
#include "source/source.h"

#include <memory>

namespace hwrngd {

/// Opens a source of the inventory. A hwrng is made current until the result is closed, unless to
/// switch to it is dangerous on this kernel: that is ExitCode::not_permitted.
[[nodiscard]] Result<std::unique_ptr<Source>> open_source(const Root &root, const SourceInfo &info);

} // namespace hwrngd
