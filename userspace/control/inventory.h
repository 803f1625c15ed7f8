// SPDX-License-Identifier: GPL-2.0-or-later
// The inventory of this machine at one moment, as plain data.
#pragma once

#include "control/config.h"
#include "kernel/hwrng_sysfs.h"
#include "source/source.h"

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
	std::string driver;   ///< its driver, or empty if unknown
	unsigned claim = 0;   ///< bits of entropy that 1024 bits from it are said to have
	bool current = false; ///< the hwrng that the kernel uses now
	// For configured sources:
	std::string path = {};                 ///< of a generator
	unsigned speed = 0;                    ///< of a serial line, in baud; 0: unchanged
	std::vector<std::string> command = {}; ///< the program that prints its bytes, with arguments
	/// Why it cannot be read, because it does not exist or must not be used. The text continues a
	/// sentence after its name. Empty if it can be read.
	std::string absent = {};
	/// Why its claim does not count; see distrust_of(). Empty if it counts.
	std::string distrust = {};
};

struct Tpm {
	std::string name;                 ///< "tpm0"
	std::string version;              ///< "2.0", "1.2"
	std::string description;          ///< from the firmware's table, or empty
	bool resource_manager = false;    ///< /dev/tpmrmN exists
	std::optional<std::string> hwrng; ///< its name in the hwrng framework
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
	std::vector<std::string> cpu_instructions; ///< those that can be used
	std::vector<FaultyInstruction> faulty_instructions = {};
	std::string cpu_distrust = {}; ///< see cpu_distrust()

	/// True if the pool holds only 256 bits: since Linux 5.18, and in the stable kernels that
	/// adopted that change.
	[[nodiscard]] bool new_random_device() const { return pool_size == 256U; }
};

/// Takes the inventory of the machine, with the sources from `config`. Changes nothing. Leaves out
/// what cannot be read.
[[nodiscard]] Inventory take_inventory(const Root &root, const Config &config);

} // namespace hwrngd
