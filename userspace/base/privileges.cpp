// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include <cap-ng.h>

namespace hwrngd {

bool has_capability(const Root &root, unsigned number)
{
	const auto status = root.read_if_any("/proc/self/status").value_or("");
	const auto at = status.find("CapEff:");
	if (at == std::string::npos)
		return false;
	const uint64_t effective = std::strtoull(status.c_str() + at + 7, nullptr, 16);
	return (effective >> number & 1U) != 0;
}

Result<std::optional<User>> find_user(const std::string &name)
{
	struct passwd entry = {};
	struct passwd *found = nullptr;
	std::array<char, 16384> strings{};
	const int error = getpwnam_r(name.c_str(), &entry, strings.data(), strings.size(), &found);
	// The errors that getpwnam_r(3) lists for a missing user are not failures.
	if (found == nullptr && error != 0 && error != ENOENT && error != ESRCH)
		return fail_errno(error, "user " + name);
	if (found == nullptr)
		return std::nullopt;
	return User{.uid = entry.pw_uid, .gid = entry.pw_gid};
}

Result<void> give_up_rights(const std::optional<User> &user, const Rights &rights)
{
	const auto failed = [](const char *what, int result) {
		return fail(ExitCode::not_permitted,
		            fmt::format("cannot drop privileges ({} returned {})", what, result));
	};
	if (capng_get_caps_process() != 0)
		return failed("capng_get_caps_process", -1);
	std::array<bool, CAP_LAST_CAP + 1> has{};
	bool has_more = false;
	for (unsigned number = 0; number <= CAP_LAST_CAP; number++) {
		has.at(number) = capng_have_capability(CAPNG_EFFECTIVE, number) != 0;
		const auto &kept = rights.capabilities;
		has_more = has_more || (capng_have_capability(CAPNG_PERMITTED, number) != 0 &&
		                        std::find(kept.begin(), kept.end(), number) == kept.end());
	}
	// Nothing to drop: the service manager did it, and may have forbidden capset(2) as well.
	if (geteuid() != 0 && !has_more)
		return {};
	const bool can_bound = has.at(CAP_SETPCAP);
	capng_clear(CAPNG_SELECT_ALL);
	std::vector<capng_type_t> sets{CAPNG_EFFECTIVE, CAPNG_PERMITTED};
	if (rights.passed_on)
		sets.push_back(CAPNG_BOUNDING_SET);
	for (const auto number : rights.capabilities)
		for (const auto set : sets)
			if (has.at(number) && capng_update(CAPNG_ADD, set, number) != 0)
				return failed("capng_update", -1);
	// Without CAP_SETPCAP a process cannot change its bounding set.
	if (user && geteuid() == 0) {
		const auto flags = static_cast<capng_flags_t>(
		    (rights.groups ? CAPNG_INIT_SUPP_GRP : CAPNG_DROP_SUPP_GRP) | CAPNG_CLEAR_AMBIENT |
		    (can_bound ? CAPNG_CLEAR_BOUNDING : CAPNG_NO_FLAG));
		const int result =
		    capng_change_id(static_cast<int>(user->uid), static_cast<int>(user->gid), flags);
		return result == 0 ? Result<void>{} : failed("capng_change_id", result);
	}
	const int result = capng_apply(can_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS);
	return result == 0 ? Result<void>{} : failed("capng_apply", result);
}

Result<void> forbid_gaining_rights()
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_errno(errno, "prctl");
	return {};
}

Result<void> lock_memory()
{
	const char *const what = "cannot lock memory that holds random bytes";
	// Ordinary users may lock only a little, and with MCL_FUTURE an allocation beyond that fails.
	const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct rlimit now = {};
	if (getrlimit(RLIMIT_MEMLOCK, &now) < 0)
		return fail_errno(errno, what);
	if (now.rlim_cur != RLIM_INFINITY && setrlimit(RLIMIT_MEMLOCK, &all) < 0) {
		auto failed = fail_errno(errno, what);
		failed.error().message += "; start it without that limit (LimitMEMLOCK=infinity, or "
		                          "CAP_SYS_RESOURCE)";
		return failed;
	}
	// MCL_ONFAULT locks only pages that are used: all pages of the libraries would be megabytes.
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return fail_errno(errno, what);
	return {};
}

} // namespace hwrngd
