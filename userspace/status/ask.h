// SPDX-License-Identifier: GPL-2.0-or-later
// What the running daemon says of itself, asked for at its socket.
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "status/document.h"

#include <optional>

namespace hwrngd {

/// What the daemon says, or nothing when none runs. Errors: ExitCode::usage for a configuration
/// that cannot be read, ExitCode::unavailable for a daemon that does not answer or speaks another
/// language.
[[nodiscard]] Result<std::optional<DaemonStatus>> ask_daemon(const Root &root);

/// Lets the daemon read its configuration again. False when none runs.
/// Fails with ExitCode::unavailable for one outside of our container, and not_permitted.
[[nodiscard]] Result<bool> reload_daemon(const Root &root);

} // namespace hwrngd
