// SPDX-License-Identifier: GPL-2.0-or-later
// What a unit hides from the daemon, and its helper can open.
#pragma once

#include "base/broker.h"
#include "fake_tree.h"

namespace hwrngd::test {

/// A broker that opens the files of another tree.
class FakeBroker : public Broker {
public:
	explicit FakeBroker(Root hidden) : hidden_(std::move(hidden)) {}

	[[nodiscard]] Result<FileDescriptor> open(std::string_view name, int flags) const override
	{
		return hidden_.open(name, flags);
	}
	[[nodiscard]] Result<FileDescriptor> jitter() const override
	{
		return fail(ExitCode::no_source, "no jitter");
	}
	[[nodiscard]] Result<std::unique_ptr<Program>> run(const std::string & /*name*/) const override
	{
		return fail(ExitCode::no_source, "no program");
	}

private:
	Root hidden_;
};

} // namespace hwrngd::test
