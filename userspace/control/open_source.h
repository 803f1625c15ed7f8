// SPDX-License-Identifier: GPL-2.0-or-later
// Opens the sources that the inventory lists.
#pragma once

#include "control/inventory.h"
#include "source/source.h"

#include <memory>

namespace hwrngd {

/// Opens a source of the inventory. A hwrng is made current until the result is closed. Fails with
/// ExitCode::not_permitted if switching to it is dangerous on this kernel.
[[nodiscard]] Result<std::unique_ptr<Source>> open_source(const Root &root, const SourceInfo &info);

} // namespace hwrngd
