// SPDX-License-Identifier: GPL-2.0-or-later
// Opens sources for the daemon, and keeps those open that would otherwise lose bytes.
#pragma once

#include "control/inventory.h"
#include "source/source.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace hwrngd {

/// Generators, commands and other machines stay open between harvests, so that none of their bytes
/// are lost. All other sources are closed, so that others can use them. Shared with the threads
/// that read.
class SourceCache : public std::enable_shared_from_this<SourceCache> {
public:
	explicit SourceCache(Root root) : root_(std::move(root)) {}

	/// Returns a source that is already open, or opens it like open_source(). Closing the result
	/// puts a source that stays open back into the cache, unless the last read failed.
	[[nodiscard]] Result<std::unique_ptr<Source>> open(const SourceInfo &info);

	/// From now on, only these sources stay open. Closes all others that are not in use.
	void keep_only(std::set<std::string> names);

	/// Closes all sources that are not in use now, and those in use when their harvest ends.
	void close_all();

private:
	class Kept;

	[[nodiscard]] std::unique_ptr<Source> take_idle(const std::string &name);
	[[nodiscard]] unsigned generation();
	void put_back(const std::string &name, std::unique_ptr<Source> source, unsigned generation);

	Root root_;
	std::mutex mutex_; // guards everything below
	std::map<std::string, std::unique_ptr<Source>> idle_;
	std::set<std::string> wanted_;
	unsigned generation_ = 0; ///< number of calls of close_all(): older sources are not kept
};

} // namespace hwrngd
