// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/hwrng_choice.h"

#include "base/write_file.h"
#include "kernel/probe.h"

namespace hwrngd::hwrng_choice {

namespace {

constexpr const char *folder = "/run/hwrngd";
constexpr const char *file = "/run/hwrngd/chosen";

Result<void> remember(const Root &root, const std::string &name)
{
	return write_file(root.at(file), name + "\n");
}

Result<void> forget(const Root &root)
{
	return remove_file(root.at(file));
}

/// A missing framework is not an error: then there is nothing to restore.
Result<void> unless_missing(const Error &error)
{
	if (error.code == ExitCode::no_source)
		return {};
	return std::unexpected(error);
}

} // namespace

Result<std::optional<std::string>> remembered(const Root &root)
{
	if (!root.exists(file))
		return std::nullopt;
	return root.read(file);
}

Result<bool> make(const Root &root, const std::string &name, const HwrngState &seen,
                  std::chrono::milliseconds limit)
{
	const HwrngSysfs sysfs(root);
	const auto lock = sysfs.lock(limit);
	if (!lock)
		return std::unexpected(lock.error());
	const auto now = sysfs.read();
	if (!now)
		return std::unexpected(now.error());
	if (now->current != seen.current || now->selected != seen.selected)
		return false;
	const auto remembers = remembered(root);
	if (!remembers)
		return std::unexpected(remembers.error());
	const auto &before = remembers.value();
	// Record the choice before making it, so that it can be undone if this process is killed.
	if (auto kept = remember(root, name); !kept)
		return std::unexpected(kept.error());
	auto done = sysfs.select(name);
	if (done)
		return true;
	if (auto undone = before ? remember(root, *before) : forget(root); !undone)
		done.error().message += "; " + undone.error().message;
	return std::unexpected(done.error());
}

Result<void> recover(const Root &root, std::chrono::milliseconds limit)
{
	const auto lock = HwrngSysfs(root).lock(limit);
	if (!lock)
		return unless_missing(lock.error());
	// Remove temporary files of a write_file() that was killed. Only the holder of the lock writes,
	// so none is in use.
	for (const auto &name : root.list(folder))
		if (name.ends_with(".part"))
			if (auto removed = remove_file(root.at(fmt::format("{}/{}", folder, name))); !removed)
				return removed;
	return hwrng_probe::recover(root);
}

Result<void> hand_back(const Root &root, std::chrono::milliseconds limit)
{
	const HwrngSysfs sysfs(root);
	const auto lock = sysfs.lock(limit, HwrngSysfs::Purpose::put_back);
	if (!lock)
		return unless_missing(lock.error());
	if (auto recovered = hwrng_probe::recover(root); !recovered)
		return recovered;
	const auto remembers = remembered(root);
	if (!remembers)
		return std::unexpected(remembers.error());
	const auto &chosen = remembers.value();
	if (!chosen)
		return {};
	const auto state = sysfs.read();
	if (!state)
		return std::unexpected(state.error());
	if (state->selected && state->current == *chosen)
		if (auto handed_back = sysfs.select_automatically(); !handed_back)
			return handed_back;
	return forget(root);
}

} // namespace hwrngd::hwrng_choice
