// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon at work: wires the rooms together; nothing else does.
#pragma once

#include "config.h"
#include "error.h"
#include "pool/kernel_pool.h"
#include "root.h"

namespace hwrngd {

/// Feeds `pool` until SIGTERM or SIGINT. `root` asks a helper for what needs rights.
[[nodiscard]] Result<void> run_daemon(const Root &root, const Config &config, KernelPool pool);

} // namespace hwrngd
