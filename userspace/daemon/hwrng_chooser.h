// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out the daemon's choice of the kernel's hwrng in the control thread, remembers it, and
// returns the choice to the kernel at exit.
#pragma once

#include "daemon/control_thread.h"
#include "kernel/hwrng_choice.h"

#include <functional>
#include <optional>
#include <string>

namespace hwrngd {

class HwrngChooser {
public:
	/// `on_change` is called when the framework's state may differ from the state last seen.
	HwrngChooser(Root root, ControlThread &control, std::function<void()> on_change);

	/// Takes over the choice of an earlier daemon, and restores what a killed probe changed.
	[[nodiscard]] Result<void> start();

	/// Makes `name` the kernel's hwrng if the framework is still in the state `seen`. Does nothing
	/// if that is under way, or if the kernel has refused `name` before.
	void choose(const std::string &name, const std::string &reason, const HwrngState &seen);

	/// To be called after a change: a refused hwrng may then be tried again.
	void forget_refusal() { refused_.clear(); }

	/// The hwrng that this daemon, or the one before it, chose last.
	[[nodiscard]] const std::optional<std::string> &chosen() const { return chosen_; }

	/// Waits until a probe has restored the framework, and lets the kernel choose again if the
	/// choice was ours. Does not use the control thread, because that may hang.
	[[nodiscard]] Result<void> hand_back() const;

private:
	void finish(const std::string &name, const std::string &reason, const Result<bool> &done);

	Root root_;
	ControlThread &control_;
	std::function<void()> on_change_;
	std::optional<std::string> chosen_;
	std::string pending_; ///< is being selected
	std::string refused_; ///< the kernel refused it
};

} // namespace hwrngd
