// SPDX-License-Identifier: GPL-2.0-or-later
// The contract of a source of random bytes, and the factories of those we have.
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
#include <vector>

namespace hwrngd {

/// A source that gives no byte for so long is stalled. A TPM command may take 2 s (TCG PC Client
/// TPM profile, long duration), and one may be under way for somebody else before ours.
inline constexpr std::chrono::milliseconds stall_limit{10'000};

class Source {
public:
	Source() = default;
	Source(const Source &) = delete;
	Source &operator=(const Source &) = delete;
	virtual ~Source() = default;

	/// Reads 1 to out.size() bytes, 0 only at the end of a file. Waits at most `limit`, and ends
	/// early with ExitCode::interrupted when the process caught a signal. After an error the
	/// source must not be read again.
	[[nodiscard]] virtual Result<size_t> read(std::span<uint8_t> out,
	                                          std::chrono::milliseconds limit) = 0;

	/// Puts back what was changed to open this source; it is not read afterwards. The destructor
	/// does it too, but can report no error.
	[[nodiscard]] virtual Result<void> close() { return {}; }
};

/// The error of a source that gave nothing within `limit`; its number is ETIMEDOUT.
[[nodiscard]] inline std::unexpected<Error> fail_stalled(const std::string &name,
                                                         std::chrono::milliseconds limit)
{
	return std::unexpected(Error{
	    ExitCode::io_error,
	    fmt::format("{}: stalled, no byte within {} s", name, limit.count() / 1000), ETIMEDOUT});
}

/// Reads until `out` is full or the file ends, stall_limit for each read; returns the bytes read.
[[nodiscard]] Result<size_t> fill(Source &source, std::span<uint8_t> out);

/// A file, pipe or character device, read by at most `piece` bytes at a time (so that a slow
/// device shows life within the limit). `path` "-" is standard input.
[[nodiscard]] Result<std::unique_ptr<Source>> open_device(const std::filesystem::path &path,
                                                          size_t piece);

/// As open_device(), of what is open already; `name` is for errors.
[[nodiscard]] std::unique_ptr<Source> read_device(const std::string &name, FileDescriptor fd,
                                                  size_t piece);

/// A FIFO or a character device, opened for us alone; a serial line gives bytes as they come, at
/// `speed` baud (0: as it is set), until this is closed; or a file, of which what is appended from
/// now on is read. ExitCode::usage for anything else.
[[nodiscard]] Result<std::unique_ptr<Source>>
open_generator(const Root &root, const std::string &path, unsigned speed);

using StartProgram = std::function<Result<std::unique_ptr<Program>>()>;

/// What a program prints; `name` is for errors. It is started by the first read, again when it
/// ended well and gave something, and ended with this.
[[nodiscard]] std::unique_ptr<Source> open_command(std::string name, StartProgram start);

/// The jitter of the CPU's timing, as the kernel collects it: what it is read from, and the source.
[[nodiscard]] Result<FileDescriptor> connect_jitter(const Root &root);
[[nodiscard]] std::unique_ptr<Source> read_jitter(FileDescriptor fd);

/// TPM 2.0 by TPM2_GetRandom (TPM 2.0 part 3, 16.1) through a resource manager such as
/// /dev/tpmrm0.
[[nodiscard]] Result<std::unique_ptr<Source>> open_tpm2(const Root &root,
                                                        const std::string &device);

/// The random instructions that the kernel vouches for on this machine, best first: "rdseed" and
/// "rdrand" on x86-64, "rndrrs" and "rndr" on arm64.
[[nodiscard]] std::vector<std::string> cpu_instructions(const Root &root);

/// One of cpu_instructions().
[[nodiscard]] Result<std::unique_ptr<Source>> open_cpu_instruction(const std::string &name);

} // namespace hwrngd
