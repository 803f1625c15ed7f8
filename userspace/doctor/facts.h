// SPDX-License-Identifier: GPL-2.0-or-later
// What a diagnosis of a machine looks at beyond its inventory and environment: where it runs, how
// its hwrng answers, what its kernel has said, what is configured to be loaded. Plain data.
#pragma once

#include "control/feeders.h"
#include "control/inventory.h"
#include "doctor/environment.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

/// Where something was seen, a file as a rule, and what it says.
struct Evidence {
	std::string where;
	std::string value;
};

/// What the kernel logs of a TPM that answers with an error.
inline constexpr std::array<std::string_view, 5> tpm_error_words{
    "A TPM error (", "TPM is disabled/deactivated", "field failure mode", "start-up test failed",
    "returns no random bytes"};
/// ... of a module that it does not load, by its signature; the first is of one that has none.
inline constexpr std::array<std::string_view, 4> refusal_words{
    "Loading of unsigned module is rejected",
    "Loading of module with unavailable key is rejected",
    "unsigned module loading is restricted",
    "Key was rejected by service",
};
/// ... when it hides an instruction of the CPU, or our module does without it, for what is
/// known of it.
inline constexpr std::array<std::string_view, 7> cpu_erratum_words{
    "RDSEED is not reliable",
    "RDSEED32 is broken",
    "RDRAND is not reliable",
    "hiding RDRAND via CPUID",
    "RDRAND gives funky smelling output",
    "cpu_rng.rdseed refused",
    "cpu_rng.rdrand refused",
};

/// How /dev/hwrng has answered to a read.
enum class HwrngAnswer : uint8_t {
	unknown, ///< it was not read
	bytes,
	equal_bytes, ///< the same byte over and over
	nothing,     ///< no byte within stall_limit
	spins,       ///< nothing either, and it took a CPU: the driver returns 0, time and again
	error,
};

/// A process that collects or feeds, and how much of a CPU it has used while we looked.
struct BusyFeeder {
	Feeder feeder;
	double share = 0; ///< 0 to 1 of one CPU
};

/// A device that no driver has taken.
struct IdleDevice {
	Evidence seen;
	std::string drivers;        ///< the modules that could, for modprobe
	bool they_are_here = false; ///< they are in the kernel, and have not taken it
};

struct Facts {
	std::optional<Evidence> container; ///< what tells that this is one
	std::string not_mounted;           ///< "sys" or "proc", where there is none, as in a chroot
	std::string hypervisor; ///< as the firmware names it ("QEMU"); "unknown"; empty: real hardware
	std::string board;      ///< of a device tree, else empty
	bool amd_ftpm = false;  ///< the first TPM is reached as firmware TPMs of AMD are
	std::optional<Evidence> tpm_table; ///< where the firmware says that there is a TPM
	bool efi = false;
	bool systemd = false;
	bool hwrngd_installed = false;
	bool hwrngd_runs = false;
	std::string status_socket;   ///< where it would answer; empty: nowhere
	bool rngd_installed = false; ///< that of rng-tools
	HwrngAnswer answer = HwrngAnswer::unknown;
	std::string answer_text;              ///< of an error
	std::optional<std::string> kept_rng;  ///< what our configuration selects at each boot
	std::optional<Evidence> refusal;      ///< why the kernel takes signed modules alone
	bool modules_disabled = false;        ///< it takes none until the next boot
	std::vector<Evidence> asked_modules;  ///< files that have tpm_rng or bcm2708_rng loaded at boot
	std::vector<Evidence> monitors;       ///< files of monitors that watch entropy_avail
	std::vector<Evidence> ill_sources;    ///< that hwrngd has quarantined, and why
	std::vector<Evidence> fips_failures;  ///< of its healthy sources
	std::vector<IdleDevice> idle_devices; ///< RNG and TPM devices that have no driver
	std::vector<Evidence> waiting_tpms;   ///< that tpm_rng has and does not offer: their state
	std::vector<Evidence> inactive_tpms;  ///< of version 1.2, that say that they are switched off
	std::vector<Evidence> stuck_readers;  ///< of a silent hwrng, and the driver that they wait in
	std::vector<Evidence> messages;       ///< of the kernel's log, those that bear on randomness
	std::optional<double> ready_after; ///< seconds from boot until the CRNG was ready, by that log
	std::vector<BusyFeeder> busy;
	std::vector<std::string> not_seen; ///< what could not be looked at, and how it could
};

/// As Facts::hypervisor.
[[nodiscard]] std::string hypervisor_of(const Root &root);

/// Looks at all that, for half a second or, where the hwrng is silent, for stall_limit. Reads a few
/// bytes of /dev/hwrng and forgets them; changes nothing. What hwrngd says is for the caller to
/// add.
[[nodiscard]] Facts find_facts(const Root &root, const Inventory &inventory,
                               const Environment &around, const Config &config);

} // namespace hwrngd
