// SPDX-License-Identifier: GPL-2.0-or-later
// A machine, as the rules of a diagnosis ask after it.
#pragma once

#include "doctor/diagnosis.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd::diagnosis {

/// What was seen, and what the rules ask of it.
class Machine {
public:
	Machine(const Inventory &inventory, const Environment &around, const Facts &facts)
	    : has(inventory), around(around), saw(facts)
	{
	}

	const Inventory &has;
	const Environment &around;
	const Facts &saw;

	/// The hwrng in use; empty if there is none.
	[[nodiscard]] std::string current() const { return has.hwrng ? has.hwrng->current : ""; }

	/// The first TPM that is no hwrng, or nullptr.
	[[nodiscard]] const Tpm *unserved_tpm() const;

	/// Is the TPM taken for a firmware TPM of AMD, outside of virtual machines, where it is none?
	[[nodiscard]] bool is_real_amd_ftpm() const { return saw.amd_ftpm && saw.hypervisor.empty(); }

	/// What is known of a module of ours, or nullptr.
	[[nodiscard]] const ModuleState *module(const std::string &name) const;

	/// Is there a file of that module, or is it loaded?
	[[nodiscard]] bool has_module(const std::string &name) const;

	/// Has the kernel refused its file, or will it?
	[[nodiscard]] bool refused(const std::string &name) const;

	/// Can its CPU be made a hwrng?
	[[nodiscard]] bool has_cpu_rng() const;

	/// How its CPU is made a hwrng, at every boot; nothing if it cannot be.
	[[nodiscard]] std::vector<Advice> serve_the_cpu() const;

	/// What tells that a TPM gives no random bytes: itself, or tpm_rng, which does not offer it.
	[[nodiscard]] const Evidence *no_bytes(const Tpm &tpm) const;

	/// Adds what the kernel's log has with one of these words.
	void add_messages(std::span<const std::string_view> words, Finding &finding) const;

	/// Is that module asked for at boot?
	[[nodiscard]] bool asks_for(std::string_view name) const;

	/// rng_current and rng_available, as they are.
	[[nodiscard]] Evidence seen_current() const;
	[[nodiscard]] Evidence seen_available() const;

	/// Another hwrng than the one in use, which `hwrngctl select` takes; the TPM before others.
	[[nodiscard]] std::optional<std::string> other_hwrng() const;

	/// The module in which whoever reads a silent hwrng waits; empty if it is not known. It need
	/// not be that of the hwrng in use: with a reader inside, a choice of another one helps nobody.
	[[nodiscard]] std::string silent_driver() const;

	/// From a silent hwrng to another one.
	[[nodiscard]] std::vector<Advice> unload_silent() const;

	/// From the hwrng in use to a better one.
	[[nodiscard]] std::vector<Advice> use_another() const;
};

} // namespace hwrngd::diagnosis
