// SPDX-License-Identifier: GPL-2.0-or-later
// The requests of an unprivileged process to a privileged one. Implemented in process/helper.h.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/program.h"

#include <memory>
#include <string>
#include <string_view>

namespace hwrngd {

/// Can be used from any thread, and no request waits for another. Errors are the same as if this
/// process had done the work itself.
class Broker {
public:
	Broker() = default;
	Broker(const Broker &) = delete;
	Broker &operator=(const Broker &) = delete;
	virtual ~Broker() = default;

	/// See Root::open().
	[[nodiscard]] virtual Result<FileDescriptor> open(std::string_view name, int flags) const = 0;

	/// See connect_jitter() in source/source.h.
	[[nodiscard]] virtual Result<FileDescriptor> jitter() const = 0;

	/// Starts the program that prints the bytes of the configured source `name`.
	[[nodiscard]] virtual Result<std::unique_ptr<Program>> run(const std::string &name) const = 0;
};

} // namespace hwrngd
