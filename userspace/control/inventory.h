// SPDX-License-Identifier: GPL-2.0-or-later
// What this machine has: one look at it, as plain data.
#pragma once

#include "control/config.h"
#include "kernel/hwrng_sysfs.h"

#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

enum class SourceKind { hwrng, tpm2, cpu, generator, command, egd, ssh, jitter };

[[nodiscard]] const char *name(SourceKind kind);

/// Something that random bytes can be read from.
struct SourceInfo {
	std::string name; ///< as the kernel lists it, or "tpmrm0", "rdseed", ...
	SourceKind kind = SourceKind::hwrng;
	std::string driver;   ///< what drives it, empty if unknown
	unsigned claim = 0;   ///< bits of entropy per 1024 bits that it is said to deliver
	bool current = false; ///< the hwrng that the kernel uses now
	// Of what is configured:
	std::string path = {};                 ///< of a generator
	unsigned speed = 0;                    ///< of a serial line, in baud; 0: as it is set
	std::vector<std::string> command = {}; ///< what prints its bytes, and its arguments
	/// Why it is not there, which ends a sentence that begins with its name; empty: it is there.
	std::string absent = {};
};

struct Tpm {
	std::string name;                 ///< "tpm0"
	std::string version;              ///< "2.0", "1.2"
	std::string description;          ///< as the firmware's table has it, or empty
	bool resource_manager = false;    ///< /dev/tpmrmN is there
	std::optional<std::string> hwrng; ///< the RNG by which the hwrng framework has it
};

struct Inventory {
	std::string kernel;       ///< uname -r
	std::string architecture; ///< uname -m
	bool crng_ready = false;
	std::optional<unsigned> entropy_available; ///< bits
	std::optional<unsigned> pool_size;         ///< bits
	std::optional<HwrngState> hwrng;           ///< none: the kernel has no hwrng framework
	std::vector<SourceInfo> sources;
	std::vector<Tpm> tpms;
	std::vector<std::string> cpu_instructions;

	/// True when 256 bits is all that the pool holds: since Linux 5.18 and the stable kernels
	/// that took it over.
	[[nodiscard]] bool new_random_device() const { return pool_size == 256U; }
};

/// Looks at the machine, and for the sources that `config` makes. Changes nothing; what
/// cannot be read is left out.
[[nodiscard]] Inventory take_inventory(const Root &root, const Config &config);

} // namespace hwrngd
