// SPDX-License-Identifier: GPL-2.0-or-later
// What the machine has, looked up again when something may have changed. The looking is done in the
// control thread.
#pragma once

#include "control/feeders.h"
#include "control/inventory.h"
#include "daemon/control_thread.h"
#include "health/lifecycle.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace hwrngd {

class InventoryWatcher {
public:
	/// `config` is read at each refresh. `on_refresh` is called after each, with the inventory
	/// before it, which is empty the first time.
	InventoryWatcher(Root root, const Config &config, ControlThread &control,
	                 std::function<void(const Inventory &before)> on_refresh);

	/// Takes the inventory anew; if that is under way, once more afterwards.
	void refresh();

	/// Refreshes if the framework has changed, which is cheap to see, or if the last refresh was
	/// long ago: some changes send no event.
	void check();

	[[nodiscard]] const Inventory &inventory() const { return inventory_; }

private:
	struct Found {
		Inventory inventory;
		std::vector<Feeder> feeders;
	};

	void check_framework();
	void finish_refresh(const Found &found);
	/// Logs each program that does our work too, once.
	void report_other_feeders(const std::vector<Feeder> &feeders);

	Root root_;
	const Config &config_;
	ControlThread &control_;
	std::function<void(const Inventory &)> on_refresh_;
	Inventory inventory_;
	bool busy_ = false;          ///< the control thread is at it
	bool refresh_again_ = false; ///< afterwards
	Time refreshed_;
	std::set<std::string> other_feeders_; ///< that were logged
};

} // namespace hwrngd
