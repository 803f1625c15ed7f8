// SPDX-License-Identifier: GPL-2.0-or-later
// What a process without rights asks another one to do for it. process/helper.h implements it.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/program.h"

#include <memory>
#include <string>
#include <string_view>

namespace hwrngd {

/// Any thread may ask, and no request waits for another one. An error is the same as if it were
/// done here.
class Broker {
public:
	Broker() = default;
	Broker(const Broker &) = delete;
	Broker &operator=(const Broker &) = delete;
	virtual ~Broker() = default;

	/// As Root::open().
	[[nodiscard]] virtual Result<FileDescriptor> open(std::string_view name, int flags) const = 0;

	/// As connect_jitter() (source/source.h).
	[[nodiscard]] virtual Result<FileDescriptor> jitter() const = 0;

	/// Starts the program that prints the bytes of configured source `name`.
	[[nodiscard]] virtual Result<std::unique_ptr<Program>> run(const std::string &name) const = 0;
};

} // namespace hwrngd
