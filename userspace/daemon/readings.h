// SPDX-License-Identifier: GPL-2.0-or-later
// From what the policy has decided to read to what a harvest of the pipeline reads.
#pragma once

#include "control/inventory.h"
#include "pool/pipeline.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace hwrngd {

/// Opens sources for the daemon. A generator and a command stay open between harvests, so that none
/// of their bytes are lost; all else is free for others meanwhile. Shared with the threads that
/// read.
class Readings : public std::enable_shared_from_this<Readings> {
public:
	explicit Readings(Root root) : root_(std::move(root)) {}

	[[nodiscard]] Result<std::unique_ptr<Reading>> open(const SourceInfo &info);

	/// Of what is open, only these sources stay so.
	void keep_only(std::set<std::string> names);

	/// All is opened again when it is read next.
	void close_all();

private:
	class OfHwrng;
	class Kept;

	void keep(const std::string &name, std::unique_ptr<Source> source, unsigned generation);

	Root root_;
	std::mutex mutex_; // guards all below
	std::map<std::string, std::unique_ptr<Source>> idle_;
	std::set<std::string> wanted_;
	unsigned generation_ = 0; ///< of the configuration that they were opened by
};

} // namespace hwrngd
