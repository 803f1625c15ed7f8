// SPDX-License-Identifier: GPL-2.0-or-later
// The process that keeps the rights which the daemon has given up, and does for it what needs them:
// opens the devices and files that are a daemon's business, loads the modules and starts the
// commands that are configured, and nothing else. It ends with the daemon.
#pragma once

#include "error.h"
#include "file_descriptor.h"
#include "source/program.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace hwrngd {

class Root;

class Helper {
public:
	/// Starts it. To be called while there is one thread, which has all its rights and ignores
	/// SIGPIPE. SIGCHLD tells its end. What it may do is in the configuration of `root`, which it
	/// reads each time. `hwrngctl`: the program by which it loads modules, so that libkmod, and
	/// what that is linked with, is no part of the daemon.
	[[nodiscard]] static Result<std::shared_ptr<const Helper>>
	start(const Root &root, const std::filesystem::path &hwrngctl);

	// Each may be asked by any thread, and no request waits for another one. An error is the same
	// as if it were done here; ExitCode::io_error if the helper itself has ended.

	/// As Root::open(), of /dev/hwrng, /dev/tpmrm*, rng_current, rng_quality (these two to write)
	/// and configured generators.
	[[nodiscard]] Result<FileDescriptor> open(std::string_view name, int flags) const;

	/// Loads a module that `modules` of the configuration lists, as `hwrngctl load` does.
	[[nodiscard]] Result<void> load(const std::string &module) const;

	/// Starts the command of configured source `name`, as the daemon's user and without any
	/// capability.
	[[nodiscard]] Result<std::unique_ptr<Program>> run(const std::string &source) const;

private:
	explicit Helper(FileDescriptor requests) : requests_(std::move(requests)) {}

	FileDescriptor requests_;
};

} // namespace hwrngd
