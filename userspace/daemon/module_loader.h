// SPDX-License-Identifier: GPL-2.0-or-later
// Loads the kernel modules of the configuration, in the control thread.
#pragma once

#include "control/modules.h"
#include "daemon/control_thread.h"
#include "pool/clock.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace hwrngd {

/// A module is loaded once: if somebody unloads it, it stays unloaded. An exception is tpm_rng,
/// which refuses to load as long as it finds no chip. The kernel announces a TPM a moment before
/// that, so the loader tries again after growing pauses.
class ModuleLoader {
public:
	/// Loads a module; called in the control thread. Must own everything that it uses.
	using Load = std::function<Result<void>(const std::string &module)>;

	/// The pauses between two tries double from the first to the longest.
	static constexpr std::chrono::milliseconds first_pause{1'000};
	static constexpr std::chrono::milliseconds longest_pause{3'600'000};

	/// `on_load` is called after a module was loaded.
	ModuleLoader(Root root, ControlThread &control, Clock clock, Load load,
	             std::function<void()> on_load);

	/// Loads what this machine needs by this configuration and was not tried yet.
	void apply(const Inventory &inventory, const Config &config);

private:
	struct Module {
		bool wanted = false;
		bool tried = false;
		std::chrono::milliseconds pause = first_pause; ///< before the next try
		Alarm retry;
		std::string logged; ///< why it is not loaded, as it was logged last
	};
	/// The result of one try.
	struct Tried {
		Result<void> done = {};
		bool before = false; ///< it was loaded already
		bool after = false;  ///< it is loaded now
	};

	void try_to_load(const std::string &name);
	void finish(const std::string &name, const Tried &tried);
	void retry_later(const std::string &name);
	/// Logs why a module is not loaded, unless that was logged before.
	void log_once(const std::string &name, const Error &error);
	[[nodiscard]] bool is_loaded(const std::string &name) const;

	Root root_;
	ControlThread &control_;
	Clock clock_;
	Load load_;
	std::function<void()> on_load_;
	std::map<std::string, Module> modules_;
	size_t tpms_ = 0; ///< the number of TPMs in the last inventory
};

} // namespace hwrngd
