// SPDX-License-Identifier: GPL-2.0-or-later
// The process that keeps the rights that the daemon has given up, and uses them for the daemon. It
// only opens the devices and files that a daemon needs, loads the configured modules, and starts
// the configured commands. It ends with the daemon. A daemon that is started as root forks its
// helper. For a daemon that is not started as root, the service manager starts one
// (hwrngd-helper.socket).
#pragma once

#include "base/broker.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/program.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace hwrngd {

class Root;

class Helper : public Broker {
public:
	/// Starts a helper. Must be called while there is only one thread, which has all its rights and
	/// ignores SIGPIPE. The configuration of `root`, which the helper reads for each request, says
	/// what is allowed. `hwrngctl` is the program that loads modules, so that libkmod and its
	/// dependencies are not linked into the daemon.
	[[nodiscard]] static Result<std::shared_ptr<const Helper>>
	start(const Root &root, const std::filesystem::path &hwrngctl);

	/// True if this process may connect() to a helper.
	[[nodiscard]] static bool is_offered(const Root &root);
	[[nodiscard]] static Result<std::shared_ptr<const Helper>> connect(const Root &root);

	/// Runs as the helper of the daemon on standard input until the daemon closes the connection.
	/// Fails if standard input is not such a connection. `hwrngctl` as in start().
	[[nodiscard]] static Result<void> serve(const Root &root,
	                                        const std::filesystem::path &hwrngctl);

	/// A descriptor that becomes readable when the helper has ended. It belongs to this object.
	[[nodiscard]] int end() const { return requests_.get(); }

	// These can be called from any thread, and no request waits for another one. Errors are the
	// same as if this process had done the work itself; ExitCode::io_error if the helper has ended.

	/// Like Root::open(), but only for /dev/hwrng, /dev/tpmrm*, /dev/kmsg, rng_current and
	/// rng_quality (these two for writing), and configured generators.
	[[nodiscard]] Result<FileDescriptor> open(std::string_view name, int flags) const override;

	/// Loads a module that `modules` of the configuration lists, as `hwrngctl load` does.
	[[nodiscard]] Result<void> load(const std::string &module) const;

	/// Like connect_jitter() (source/source.h).
	[[nodiscard]] Result<FileDescriptor> jitter() const override;

	/// Starts the program that prints the bytes of the configured source (its command, or
	/// hwrngd-pull), as the daemon's user and without any capability.
	[[nodiscard]] Result<std::unique_ptr<Program>> run(const std::string &source) const override;

private:
	explicit Helper(FileDescriptor requests) : requests_(std::move(requests)) {}

	FileDescriptor requests_;
};

} // namespace hwrngd
