// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/inventory_watcher.h"

#include "base/log.h"
#include "kernel/module_sources.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// How often to look for changes that send no event.
constexpr auto refresh_interval = 60s;
// How often to look for a source that is being tested, and how many times: a start-up test takes 32
// commands of a TPM, and the slowest may take 2 s each.
constexpr auto test_interval = 1s;
constexpr unsigned most_looks = 64;

/// Is a source of our modules being tested, so that the framework will list it soon?
bool is_testing(const Root &root, const Inventory &inventory)
{
	const auto is_awaited = [&](const ModuleSource &source) {
		return source.is_tested() && inventory.hwrng && !inventory.hwrng->offers(source.name);
	};
	return std::ranges::any_of(module_sources(root, "tpm_rng"), is_awaited) ||
	       std::ranges::any_of(module_sources(root, "cpu_rng"), is_awaited);
}

} // namespace

InventoryWatcher::InventoryWatcher(Root root, const Config &config, ControlThread &control,
                                   Clock clock, std::function<void(const Inventory &)> on_refresh)
    : root_(std::move(root)), config_(config), control_(control), clock_(std::move(clock)),
      on_refresh_(std::move(on_refresh))
{
}

void InventoryWatcher::refresh()
{
	refresh_again_ = busy_;
	if (busy_)
		return;
	busy_ = true;
	control_.run(
	    [root = root_, config = config_] {
		    // The lock keeps a probe from being mistaken for a choice. Locking fails if the kernel
		    // has no framework, which does not matter.
		    const auto lock = HwrngSysfs(root).lock(hwrng_lock_limit);
		    Found found{.inventory = take_inventory(root, config),
		                .feeders = find_feeders(root, "")};
		    found.testing = is_testing(root, found.inventory);
		    return found;
	    },
	    [this](const Found &found) { finish_refresh(found); });
}

void InventoryWatcher::check()
{
	if (clock_.now() - refreshed_ >= refresh_interval)
		refresh();
	else
		check_framework();
}

void InventoryWatcher::check_framework()
{
	if (busy_)
		return;
	busy_ = true;
	control_.run(
	    [root = root_] {
		    const auto lock = HwrngSysfs(root).lock(hwrng_lock_limit);
		    const auto state = HwrngSysfs(root).read();
		    return state ? std::optional(*state) : std::nullopt;
	    },
	    [this](const std::optional<HwrngState> &now) {
		    busy_ = false;
		    if (refresh_again_ || now != inventory_.hwrng)
			    refresh();
	    });
}

void InventoryWatcher::finish_refresh(const Found &found)
{
	busy_ = false;
	refreshed_ = clock_.now();
	const auto before = std::exchange(inventory_, found.inventory);
	on_refresh_(before);
	if (refresh_again_)
		refresh();
	report_other_feeders(found.feeders);
	if (!found.testing) {
		soon_.reset();
		looks_ = 0;
	} else if (!soon_) {
		look_soon();
	}
}

void InventoryWatcher::look_soon()
{
	soon_.reset();
	if (looks_ >= most_looks)
		return; // refresh_interval is enough for a chip that hangs
	looks_++;
	soon_ = clock_.call_at(clock_.now() + test_interval, [this] {
		check_framework();
		look_soon();
	});
}

void InventoryWatcher::report_other_feeders(const std::vector<Feeder> &feeders)
{
	std::set<std::string> others;
	for (const auto &feeder : feeders) {
		if (feeder.name == "hwrng" || feeder.name == "hwrngd")
			continue; // the kernel's own thread, and this daemon
		others.insert(feeder.name);
		if (!other_feeders_.contains(feeder.name))
			log(Priority::notice, Event::other_feeder,
			    fmt::format("{} (pid {}: {}) feeds the kernel's pool too. That does no harm, "
			                "but one is enough",
			                feeder.name, feeder.pid, feeder.what),
			    {{"HWRNGD_FEEDER", feeder.name}});
	}
	other_feeders_ = std::move(others);
}

} // namespace hwrngd
