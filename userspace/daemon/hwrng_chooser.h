// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's choice of the kernel's hwrng: carried out in the control thread, remembered, and
// handed back at the end.
#pragma once

#include "daemon/control_thread.h"
#include "kernel/hwrng_choice.h"

#include <functional>
#include <optional>
#include <string>

namespace hwrngd {

class HwrngChooser {
public:
	/// `on_change` is called when what the framework says is no longer what was seen.
	HwrngChooser(Root root, ControlThread &control, std::function<void()> on_change);

	/// Takes over what an earlier daemon chose, and has what a killed probe left put back.
	[[nodiscard]] Result<void> start();

	/// Makes `name` the kernel's hwrng if it is still in the state that was `seen`. What was
	/// refused once is not tried again.
	void choose(const std::string &name, const std::string &reason, const HwrngState &seen);

	/// Something has changed: what was refused may be tried again.
	void forget_refusal() { refused_.clear(); }

	/// The hwrng that was chosen last, by this daemon or the one before it.
	[[nodiscard]] const std::optional<std::string> &chosen() const { return chosen_; }

	/// Waits for whoever has changed the framework to put it back, and lets the kernel choose again
	/// if the choice was ours. Not in the control thread, which may hang.
	[[nodiscard]] Result<void> hand_back() const;

private:
	void finish(const std::string &name, const std::string &reason, const Result<bool> &done);

	Root root_;
	ControlThread &control_;
	std::function<void()> on_change_;
	std::optional<std::string> chosen_;
	std::string refused_; ///< is not to be chosen again: it was refused, or is being chosen
};

} // namespace hwrngd
