// SPDX-License-Identifier: GPL-2.0-or-later
// Opens sources for the daemon, and keeps those open that would lose bytes otherwise.
#pragma once

#include "control/inventory.h"
#include "source/source.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace hwrngd {

/// A generator and a command stay open between harvests, so that none of their bytes are lost; all
/// else is free for others meanwhile. Shared with the threads that read.
class SourceCache : public std::enable_shared_from_this<SourceCache> {
public:
	explicit SourceCache(Root root) : root_(std::move(root)) {}

	/// A source that is open already, or as open_source(). To close the result puts a source back
	/// here that stays open and that no read failed of.
	[[nodiscard]] Result<std::unique_ptr<Source>> open(const SourceInfo &info);

	/// Closes all sources that are not in use, but for these; no others stay open from now on.
	void keep_only(std::set<std::string> names);

	/// Closes all sources that are not in use; those in use are closed after it.
	void close_all();

private:
	class Kept;

	[[nodiscard]] std::unique_ptr<Source> take_idle(const std::string &name);
	[[nodiscard]] unsigned generation();
	void put_back(const std::string &name, std::unique_ptr<Source> source, unsigned generation);

	Root root_;
	std::mutex mutex_; // guards all below
	std::map<std::string, std::unique_ptr<Source>> idle_;
	std::set<std::string> wanted_;
	unsigned generation_ = 0; ///< of the configuration that they were opened by
};

} // namespace hwrngd
