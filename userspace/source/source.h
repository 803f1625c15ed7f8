// SPDX-License-Identifier: GPL-2.0-or-later
// The contract of a source of random bytes, and the functions that open each kind of source.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/program.h"
#include "base/root.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

/// A source that gives no byte for this long is stalled. A TPM command may take 2 s (TCG PC Client
/// TPM profile, long duration), and ours may have to wait for the command of another program.
inline constexpr std::chrono::milliseconds stall_limit{10'000};

class Source {
public:
	Source() = default;
	Source(const Source &) = delete;
	Source &operator=(const Source &) = delete;
	virtual ~Source() = default;

	/// Reads 1 to out.size() bytes; returns 0 only at the end of a file. Waits up to `limit`. Fails
	/// with ExitCode::interrupted if the process catches a signal. After an error the source must
	/// not be read again.
	[[nodiscard]] virtual Result<size_t> read(std::span<uint8_t> out,
	                                          std::chrono::milliseconds limit) = 0;

	/// Restores what was changed to open this source, which must not be read afterwards. The
	/// destructor does so too, but cannot report an error.
	[[nodiscard]] virtual Result<void> close() { return {}; }
};

/// The error of a source that gave no data within `limit`; its number is ETIMEDOUT.
[[nodiscard]] inline std::unexpected<Error> fail_stalled(const std::string &name,
                                                         std::chrono::milliseconds limit)
{
	return std::unexpected(Error{
	    ExitCode::io_error,
	    fmt::format("{}: stalled, no byte within {} s", name, limit.count() / 1000), ETIMEDOUT});
}

/// Reads until `out` is full or the file ends, stall_limit per read; returns the bytes read.
[[nodiscard]] Result<size_t> fill(Source &source, std::span<uint8_t> out);

/// Opens a file, pipe or character device. Reads up to `piece` bytes at a time, so that a slow
/// device gives something within the limit. The path "-" is standard input.
[[nodiscard]] Result<std::unique_ptr<Source>> open_device(const std::filesystem::path &path,
                                                          size_t piece);

/// Like open_device(), for a descriptor that is already open. `name` is for errors.
[[nodiscard]] std::unique_ptr<Source> read_device(const std::string &name, FileDescriptor fd,
                                                  size_t piece);

/// Opens a FIFO, a character device or a file. A device is opened exclusively. A serial line is set
/// to raw mode and `speed` baud (0: unchanged) until the source is closed. Of a file, only bytes
/// that are appended from now on are read. Fails with ExitCode::usage for anything else.
[[nodiscard]] Result<std::unique_ptr<Source>>
open_generator(const Root &root, const std::string &path, unsigned speed);

using StartProgram = std::function<Result<std::unique_ptr<Program>>()>;

/// The output of a program; `name` is for errors. The first read starts the program. If it exits
/// successfully after it gave output, it is started again. The destructor ends it.
[[nodiscard]] std::unique_ptr<Source> open_command(std::string name, StartProgram start);

/// The timing jitter of the CPU, collected by the kernel: opens the descriptor, and reads it.
[[nodiscard]] Result<FileDescriptor> connect_jitter(const Root &root);
[[nodiscard]] std::unique_ptr<Source> read_jitter(FileDescriptor fd);

/// TPM 2.0 by TPM2_GetRandom (TPM 2.0 part 3, 16.1) through a resource manager such as
/// /dev/tpmrm0.
[[nodiscard]] Result<std::unique_ptr<Source>> open_tpm2(const Root &root,
                                                        const std::string &device);

/// An instruction of this CPU that must not be used, and the erratum that makes it useless.
struct FaultyInstruction {
	std::string name;
	std::string erratum;
};

struct CpuInstructions {
	/// Best first: "rdseed" and "rdrand" on x86-64, "rndrrs" and "rndr" on arm64, "darn" on POWER9.
	std::vector<std::string> usable;
	std::vector<FaultyInstruction> faulty;
};

/// The CPU's instructions for random numbers on this machine. One that the kernel hides is not
/// listed, unless an erratum explains it.
[[nodiscard]] CpuInstructions cpu_instructions(const Root &root);

/// As above, for these contents of /proc/cpuinfo.
[[nodiscard]] CpuInstructions cpu_instructions_in(std::string_view cpuinfo);

/// Opens a usable one of cpu_instructions().
[[nodiscard]] Result<std::unique_ptr<Source>> open_cpu_instruction(const std::string &name);

} // namespace hwrngd
