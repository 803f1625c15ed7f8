// SPDX-License-Identifier: GPL-2.0-or-later
// The process that keeps the rights which the daemon has given up, and does for it what needs them:
// opens the devices and files that are a daemon's business, loads the modules and starts the
// commands that are configured, and nothing else. It ends with the daemon. A daemon that is started
// as root forks it; one that never was root is given one by the service manager
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
	/// Starts it. To be called while there is one thread, which has all its rights and ignores
	/// SIGPIPE. What it may do is in the configuration of `root`, which it reads each time.
	/// `hwrngctl`: the program by which it loads modules, so that libkmod, and what that is linked
	/// with, is no part of the daemon.
	[[nodiscard]] static Result<std::shared_ptr<const Helper>>
	start(const Root &root, const std::filesystem::path &hwrngctl);

	/// May this process connect() to one?
	[[nodiscard]] static bool is_offered(const Root &root);
	[[nodiscard]] static Result<std::shared_ptr<const Helper>> connect(const Root &root);

	/// Is the helper of whoever is connected to standard input, until that closes it; fails if
	/// nobody is. `hwrngctl` as in start().
	[[nodiscard]] static Result<void> serve(const Root &root,
	                                        const std::filesystem::path &hwrngctl);

	/// Is readable when the helper has ended. Belongs to this object.
	[[nodiscard]] int end() const { return requests_.get(); }

	// Each may be asked by any thread, and no request waits for another one. An error is the same
	// as if it were done here; ExitCode::io_error if the helper itself has ended.

	/// As Root::open(), of /dev/hwrng, /dev/tpmrm*, /dev/kmsg, rng_current, rng_quality (these two
	/// to write) and configured generators.
	[[nodiscard]] Result<FileDescriptor> open(std::string_view name, int flags) const override;

	/// Loads a module that `modules` of the configuration lists, as `hwrngctl load` does.
	[[nodiscard]] Result<void> load(const std::string &module) const;

	/// As connect_jitter() (source/source.h).
	[[nodiscard]] Result<FileDescriptor> jitter() const override;

	/// Starts what prints the bytes of configured source `name` (its command, or what asks another
	/// machine), as the daemon's user and without any capability.
	[[nodiscard]] Result<std::unique_ptr<Program>> run(const std::string &source) const override;

private:
	explicit Helper(FileDescriptor requests) : requests_(std::move(requests)) {}

	FileDescriptor requests_;
};

} // namespace hwrngd
