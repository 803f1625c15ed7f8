// SPDX-License-Identifier: GPL-2.0-or-later
// The inventory of the machine, which is taken again when something may have changed. This is done
// in the control thread.
#pragma once

#include "control/feeders.h"
#include "control/inventory.h"
#include "daemon/control_thread.h"
#include "pool/clock.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace hwrngd {

class InventoryWatcher {
public:
	/// `config` is read at each refresh. `on_refresh` is called after each refresh with the
	/// previous inventory, which is empty the first time.
	InventoryWatcher(Root root, const Config &config, ControlThread &control, Clock clock,
	                 std::function<void(const Inventory &before)> on_refresh);

	/// Takes the inventory again. If a refresh is already running, another one follows it.
	void refresh();

	/// Refreshes if the framework has changed, which is cheap to check, or if the last refresh was
	/// long ago, because some changes send no event.
	void check();

	[[nodiscard]] const Inventory &inventory() const { return inventory_; }

private:
	struct Found {
		Inventory inventory;
		std::vector<Feeder> feeders;
		bool testing = false; ///< a module of ours tests a source before it registers it
	};

	void check_framework();
	void finish_refresh(const Found &found);
	/// Checks the framework every second for a while: the registration of a source sends no event.
	void look_soon();
	/// Logs each other program that feeds the pool, once.
	void report_other_feeders(const std::vector<Feeder> &feeders);

	Root root_;
	const Config &config_;
	ControlThread &control_;
	Clock clock_;
	std::function<void(const Inventory &)> on_refresh_;
	Inventory inventory_;
	bool busy_ = false;          ///< the control thread is working for us
	bool refresh_again_ = false; ///< refresh when that is done
	Time refreshed_;
	Alarm soon_;                          ///< the next call of look_soon()
	unsigned looks_ = 0;                  ///< calls of it for the sources that are tested now
	std::set<std::string> other_feeders_; ///< those that were logged
};

} // namespace hwrngd
