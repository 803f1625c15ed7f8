// SPDX-License-Identifier: GPL-2.0-or-later
// Requests the status of the running daemon at its socket.
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "status/document.h"

#include <optional>

namespace hwrngd {

/// The status of the daemon, or nothing if no daemon is running. Errors: ExitCode::usage if the
/// configuration cannot be read, ExitCode::unavailable if the daemon does not answer or its status
/// has an unknown format.
[[nodiscard]] Result<std::optional<DaemonStatus>> ask_daemon(const Root &root);

/// Makes the daemon read its configuration again. Returns false if no daemon is running. Fails with
/// ExitCode::unavailable if the daemon runs outside of our container, or with not_permitted.
[[nodiscard]] Result<bool> reload_daemon(const Root &root);

} // namespace hwrngd
