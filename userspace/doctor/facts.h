// SPDX-License-Identifier: GPL-2.0-or-later
// What a diagnosis needs beyond the inventory and environment of a machine: where it runs, how its
// hwrng answers, what the kernel logged, which modules are loaded at boot. Plain data.
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

/// Where something was seen (usually a file), and what it says.
struct Evidence {
	std::string where;
	std::string value;
};

/// What the kernel and tpm_rng log about an AMD firmware TPM.
inline constexpr std::array<std::string_view, 2> amd_tpm_words{
    "Disabling hwrng", "is left alone: reading an AMD firmware TPM"};
/// What tpm_rng logs about a TPM that is being updated.
inline constexpr std::array<std::string_view, 1> tpm_upgrade_words{
    "is left alone: it is in firmware upgrade mode"};
/// What the kernel logs about a TPM that returns an error.
inline constexpr std::array<std::string_view, 5> tpm_error_words{
    "A TPM error (", "TPM is disabled/deactivated", "field failure mode", "start-up test failed",
    "returns no random bytes"};
/// What it logs about a module that it refuses because of the signature. The first one is logged
/// only for unsigned modules.
inline constexpr std::array<std::string_view, 4> refusal_words{
    "Loading of unsigned module is rejected",
    "Loading of module with unavailable key is rejected",
    "unsigned module loading is restricted",
    "Key was rejected by service",
};
/// What it logs when it hides a CPU instruction, or our module does not use it, because of a known
/// erratum.
inline constexpr std::array<std::string_view, 7> cpu_erratum_words{
    "RDSEED is not reliable",
    "RDSEED32 is broken",
    "RDRAND is not reliable",
    "hiding RDRAND via CPUID",
    "RDRAND gives funky smelling output",
    "cpu_rng.rdseed refused",
    "cpu_rng.rdrand refused",
};

/// How /dev/hwrng answered a read.
enum class HwrngAnswer : uint8_t {
	unknown, ///< it was not read
	bytes,
	equal_bytes, ///< the same byte over and over
	nothing,     ///< no data within stall_limit
	spins,       ///< no data, and the CPU was busy: the driver keeps returning 0
	error,
};

/// A process that collects or feeds, and how much of a CPU it used while it was watched.
struct BusyFeeder {
	Feeder feeder;
	double share = 0; ///< 0 to 1 of one CPU
};

/// A device that no driver uses.
struct IdleDevice {
	Evidence seen;
	std::string drivers;         ///< the modules that could use it, for modprobe
	bool drivers_loaded = false; ///< they are in the kernel but do not use it
};

struct Facts {
	std::optional<Evidence> container; ///< what shows that this is one
	std::string not_mounted;           ///< "sys" or "proc", if it is missing, as in a chroot
	/// The name in the firmware ("QEMU") or "unknown"; empty on real hardware.
	std::string hypervisor;
	std::string board;                 ///< the model of a device tree; else empty
	bool amd_ftpm = false;             ///< the first TPM is connected as AMD firmware TPMs are
	std::optional<Evidence> tpm_table; ///< the firmware's table that lists a TPM
	bool efi = false;
	bool systemd = false;
	bool hwrngd_installed = false;
	bool hwrngd_runs = false;
	std::string status_socket;   ///< where hwrngd answers; empty: nowhere
	bool rngd_installed = false; ///< of rng-tools
	HwrngAnswer answer = HwrngAnswer::unknown;
	std::string answer_text;             ///< the error message
	std::optional<std::string> kept_rng; ///< what hwrngd's configuration selects at each boot
	std::optional<Evidence> refusal;     ///< why the kernel requires signed modules
	bool modules_disabled = false;       ///< the kernel loads no module until the next boot
	std::vector<Evidence> boot_modules;  ///< files that load tpm_rng or bcm2708_rng at boot
	std::vector<Evidence> monitors;      ///< configuration of monitors that watch entropy_avail
	std::vector<Evidence> quarantined_sources; ///< with the reasons
	std::vector<Evidence> fips_failures;       ///< of hwrngd's healthy sources
	std::string why_not_cpu_rng;               ///< why cpu_rng must not be loaded; empty if it may
	std::vector<Evidence> uncredited;          ///< sources whose claim does not count, and why
	std::vector<IdleDevice> idle_devices;      ///< RNG and TPM devices without a driver
	std::vector<Evidence> inactive_tpms;       ///< TPMs 1.2 that report that they are switched off
	std::vector<Evidence> stuck_readers;       ///< of a silent hwrng, with the driver they wait in
	std::vector<Evidence> messages;            ///< of the kernel's log, about randomness
	std::optional<double> ready_after; ///< s from boot until the CRNG was ready, from that log
	std::vector<BusyFeeder> busy;
	std::vector<std::string> not_seen; ///< what could not be checked, and how it can be
};

/// Returns Facts::hypervisor.
[[nodiscard]] std::string hypervisor_of(const Root &root);

/// Collects all facts except those that hwrngd reports, which the caller adds. This takes half a
/// second, or stall_limit if the hwrng is silent. Reads a few bytes of /dev/hwrng and discards
/// them; changes nothing.
[[nodiscard]] Facts find_facts(const Root &root, const Inventory &inventory,
                               const Environment &around, const Config &config);

} // namespace hwrngd
