// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon at work: wires the rooms together; nothing else does.
#pragma once

#include "config.h"
#include "error.h"
#include "file_descriptor.h"
#include "pool/kernel_pool.h"
#include "root.h"

namespace hwrngd {

/// Feeds `pool` until SIGTERM or SIGINT. `root` asks a helper for what needs rights; `egd` is the
/// connection to the process that serves EGD clients, if there is one.
[[nodiscard]] Result<void> run_daemon(const Root &root, const Config &config, KernelPool pool,
                                      FileDescriptor egd);

} // namespace hwrngd
