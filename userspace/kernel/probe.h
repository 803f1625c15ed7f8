// SPDX-License-Identifier: GPL-2.0-or-later
// One hwrng is current at a time. To read a certain one it is made current, read, and what was
// before is put back.
#pragma once

#include "kernel/hwrng_sysfs.h"
#include "source/source.h"

#include <memory>
#include <optional>

namespace hwrngd {

class Probe {
public:
	/// Puts back what a process left that was killed during a probe. The caller holds
	/// HwrngSysfs::lock().
	[[nodiscard]] static Result<void> recover(const Root &root);

	/// What was in use before `current` was probed ("": nothing); nothing if it is not probed.
	[[nodiscard]] static std::optional<std::string> in_place_of(const Root &root,
	                                                            const std::string &current);

	/// Waits for other probes to end, makes `name` current if it is not, opens /dev/hwrng and
	/// discards the 64 bytes that the framework may still hold from another RNG.
	[[nodiscard]] static Result<Probe> begin(const Root &root, const std::string &name);

	Probe(Probe &&) noexcept = default;
	Probe(const Probe &) = delete;
	Probe &operator=(Probe &&) = delete;
	Probe &operator=(const Probe &) = delete;
	/// Ends the probe if end() was not called; an error is printed, since nobody can receive it.
	~Probe();

	[[nodiscard]] Source &source() { return *source_; }

	/// Puts back the choice that was found, unless somebody made another meanwhile, and discards
	/// the probed RNG's bytes that the framework still holds.
	[[nodiscard]] Result<void> end();

private:
	Probe(Root root, std::string name)
	    : root_(std::move(root)), sysfs_(root_), name_(std::move(name))
	{
	}

	Root root_;
	HwrngSysfs sysfs_;
	std::string name_;
	FileDescriptor lock_;
	std::unique_ptr<HwrngState> before_; ///< set while something has to be put back
	std::unique_ptr<Source> source_;
};

} // namespace hwrngd
