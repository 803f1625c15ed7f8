// SPDX-License-Identifier: GPL-2.0-or-later
// What this process may do, and giving it up. capabilities(7), seccomp(2).
#pragma once

#include "base/error.h"
#include "base/root.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <linux/capability.h>

namespace hwrngd {

/// True when the process has capability `number` (CAP_SYS_ADMIN, ...) in effect, by
/// /proc/self/status.
[[nodiscard]] bool has_capability(const Root &root, unsigned number);

/// A user to run as.
struct User {
	uid_t uid = 0;
	gid_t gid = 0;
};

/// The user of that name, or nothing if there is none.
[[nodiscard]] Result<std::optional<User>> find_user(const std::string &name);

/// What is left to a process.
struct Rights {
	std::vector<unsigned> capabilities = {}; ///< those of them that it has
	bool passed_on = false; ///< what it starts as root has them too; else it has none
	bool groups = false;    ///< those of its user in /etc/group and its like; looking costs memory
};

/// From now on this process is `user` (unless there is none to be, or it is not root now), and has
/// no rights but these. To be called while there is one thread.
[[nodiscard]] Result<void> give_up_rights(const std::optional<User> &user, const Rights &rights);

/// Neither this process nor what it starts gains rights by execve(2), and its memory is not dumped.
[[nodiscard]] Result<void> forbid_gaining_rights();

/// Memory of this process is not swapped out, as it is used from now on.
[[nodiscard]] Result<void> lock_memory();

/// From now on a system call that the daemon has no use for fails with ENOSYS, and one by which an
/// intruder would go on (execve(2), ptrace(2), loading a module, ...) ends the process. To be
/// called while there is one thread.
[[nodiscard]] Result<void> filter_system_calls();

/// As filter_system_calls(), for the process that speaks with strangers: what it needs is open.
[[nodiscard]] Result<void> filter_system_calls_of_server();

} // namespace hwrngd
