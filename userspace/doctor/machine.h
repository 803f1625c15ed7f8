// SPDX-License-Identifier: GPL-2.0-or-later
// A machine, with the questions that the rules of a diagnosis ask about it.
#pragma once

#include "doctor/diagnosis.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd::diagnosis {

/// What was found, and answers to the rules' questions about it.
class Machine {
public:
	Machine(const Inventory &inventory, const Environment &around, const Facts &facts)
	    : inventory(inventory), around(around), facts(facts)
	{
	}

	const Inventory &inventory;
	const Environment &around;
	const Facts &facts;

	/// The hwrng in use; empty if there is none.
	[[nodiscard]] std::string current() const
	{
		return inventory.hwrng ? inventory.hwrng->current : "";
	}

	/// The first TPM that is not a hwrng, or nullptr.
	[[nodiscard]] const Tpm *unserved_tpm() const;

	/// Does the TPM seem to be an AMD firmware TPM? Always false in a virtual machine.
	[[nodiscard]] bool is_real_amd_ftpm() const
	{
		return facts.amd_ftpm && facts.hypervisor.empty();
	}

	/// The state of a module of ours, or nullptr.
	[[nodiscard]] const ModuleState *module(const std::string &name) const;

	/// Is that module installed, built in or loaded?
	[[nodiscard]] bool has_module(const std::string &name) const;

	/// Did the kernel refuse to load that module, or will it?
	[[nodiscard]] bool refused(const std::string &name) const;

	/// Can the CPU be made a hwrng?
	[[nodiscard]] bool has_cpu_rng() const;

	/// How to make the CPU a hwrng, now and at every boot; nothing if that is impossible.
	[[nodiscard]] std::vector<Advice> serve_cpu() const;

	/// What tpm_rng says about a TPM that is not a hwrng; nullptr if it does not serve it.
	[[nodiscard]] const ModuleSource *source_of(const Tpm &tpm) const;

	/// Evidence that a TPM returns no random bytes: from the TPM itself, or from tpm_rng, which
	/// does not register it.
	[[nodiscard]] std::optional<Evidence> no_data_from(const Tpm &tpm) const;

	/// Adds the messages of the kernel's log that contain one of these words.
	void add_messages(std::span<const std::string_view> words, Finding &finding) const;

	/// Is that module configured to be loaded at boot?
	[[nodiscard]] bool loaded_at_boot(std::string_view name) const;

	/// The contents of rng_current and rng_available.
	[[nodiscard]] Evidence seen_current() const;
	[[nodiscard]] Evidence seen_available() const;

	/// A hwrng that is not in use and that `hwrngctl select` accepts; preferably the TPM.
	[[nodiscard]] std::optional<std::string> other_hwrng() const;

	/// The module in which the readers of a silent hwrng wait; empty if it is not known. It can be
	/// another one than that of the hwrng in use: while a reader waits in a driver, selecting
	/// another hwrng does not help.
	[[nodiscard]] std::string silent_driver() const;

	/// How to replace a silent hwrng.
	[[nodiscard]] std::vector<Advice> unload_silent() const;

	/// How to replace the hwrng in use by a better one.
	[[nodiscard]] std::vector<Advice> use_another() const;
};

} // namespace hwrngd::diagnosis
