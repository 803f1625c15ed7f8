// SPDX-License-Identifier: GPL-2.0-or-later
// Reads and drops the rights of this process. capabilities(7), seccomp(2).
#pragma once

#include "base/error.h"
#include "base/root.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <linux/capability.h>

namespace hwrngd {

/// True if capability `number` (such as CAP_SYS_ADMIN) is in this process's effective set, read
/// from /proc/self/status.
[[nodiscard]] bool has_capability(const Root &root, unsigned number);

/// A user to run as.
struct User {
	uid_t uid = 0;
	gid_t gid = 0;
};

/// The user called `name`, or std::nullopt if there is no such user.
[[nodiscard]] Result<std::optional<User>> find_user(const std::string &name);

/// The rights that a process keeps.
struct Rights {
	std::vector<unsigned> capabilities = {}; ///< kept if the process has them
	bool passed_on = false; ///< programs that it starts as root keep them; if false, they have none
	bool groups = false;    ///< the user's supplementary groups; looking them up costs memory
};

/// Makes this process run as `user` (if one is given and the process is root), with only these
/// rights. Call it while there is only one thread.
[[nodiscard]] Result<void> give_up_rights(const std::optional<User> &user, const Rights &rights);

/// Keeps this process and its children from gaining rights by execve(2), and its memory from being
/// dumped.
[[nodiscard]] Result<void> forbid_gaining_rights();

/// Keeps this process's memory from being swapped out, each page from its first use on.
[[nodiscard]] Result<void> lock_memory();

/// Installs the daemon's system call filter. Calls that the daemon does not need fail with ENOSYS.
/// Calls that an intruder would need next (execve(2), ptrace(2), loading a module, ...) kill the
/// process. Call it while there is only one thread.
[[nodiscard]] Result<void> filter_system_calls();

/// Like filter_system_calls(), but stricter: for the EGD server, which talks to unknown clients and
/// already has all its files open.
[[nodiscard]] Result<void> filter_system_calls_of_server();

} // namespace hwrngd
