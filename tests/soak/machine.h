// SPDX-License-Identifier: GPL-2.0-or-later
// A machine made of files, with sources of every kind that can fail, read as the daemon reads them.
#pragma once

#include "daemon/source_cache.h"
#include "device.h"
#include "fake_tree.h"
#include "process/helper.h"
#include "watch.h"
#include "wire.h"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace hwrngd::soak {

/// Shared with the threads that read.
class Machine : public std::enable_shared_from_this<Machine> {
public:
	explicit Machine(uint64_t seed);

	/// From now on, opens devices with `helper`.
	void ask(const std::shared_ptr<const Helper> &helper);
	[[nodiscard]] const Root &root() const { return root_; }
	[[nodiscard]] test::FakeTree &tree() { return tree_; }
	[[nodiscard]] SourceCache &sources() { return *sources_; }
	[[nodiscard]] Ledger &ledger() { return ledger_; }

	/// The sources that it has now.
	[[nodiscard]] Inventory inventory(const Config &config) const;

	/// All sources that it can have, except "chip", which never fails.
	[[nodiscard]] std::map<std::string, Device> &devices() { return devices_; }
	/// Can this fault happen to this source?
	[[nodiscard]] static bool suffers(const std::string &source, Fault fault);
	void set(const std::string &source, Fault fault);

	/// Hooks::open of a pipeline.
	[[nodiscard]] Result<std::unique_ptr<Source>> open(const SourceInfo &info);

private:
	class Watched;

	void list_hwrngs(bool all);

	test::FakeTree tree_;
	Root root_;
	std::shared_ptr<SourceCache> sources_;
	Ledger ledger_;
	std::map<std::string, Device> devices_;
	std::map<std::string, Wire> wires_; ///< by source
	Device chip_;
};

} // namespace hwrngd::soak
