// SPDX-License-Identifier: GPL-2.0-or-later
// The running daemon: connects the parts from the other rooms with each other.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/root.h"
#include "control/config.h"
#include "pool/kernel_pool.h"
#include "process/helper.h"

#include <memory>

namespace hwrngd {

/// Feeds `pool` until SIGTERM or SIGINT. `root` uses `helper` for what needs privileges. `egd` is
/// the connection to the process that serves EGD clients, if there is one.
[[nodiscard]] Result<void> run_daemon(const Root &root, const Config &config, KernelPool pool,
                                      std::shared_ptr<const Helper> helper, FileDescriptor egd);

} // namespace hwrngd
