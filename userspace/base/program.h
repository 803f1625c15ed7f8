// SPDX-License-Identifier: GPL-2.0-or-later
// A program that runs beside us for what it prints.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hwrngd {

class Program {
public:
	Program() = default;
	Program(const Program &) = delete;
	Program &operator=(const Program &) = delete;
	/// Ends it, as end() does.
	virtual ~Program() = default;

	/// What it prints: a descriptor with O_NONBLOCK.
	[[nodiscard]] virtual int output() const = 0;

	/// Ends it and what it has started, by SIGTERM and after a moment by SIGKILL, if it has not
	/// ended by itself. Returns its status as wait(2) has it. To be called once.
	[[nodiscard]] virtual Result<int> end() = 0;
};

/// Starts `words`, a name that is looked up in PATH and its arguments, in a process group of its
/// own, with no signal blocked or ignored, and nothing to read.
[[nodiscard]] Result<std::unique_ptr<Program>> start_program(const std::vector<std::string> &words);

/// How a program has ended.
struct Ended {
	int status = 0;        ///< as wait(2) has it
	std::string complaint; ///< what it has printed on its standard error
};

/// Runs `words`, as start_program(), to its end.
[[nodiscard]] Result<Ended> run_program(const std::vector<std::string> &words);

/// What a program that was asked for something has answered.
struct Answer {
	int status = 0;        ///< as wait(2) has it
	size_t size = 0;       ///< of what it has printed
	std::string complaint; ///< the end of what it has printed on its standard error
};

/// Runs `words`, as start_program(), to its end, for what it prints, which goes to `out`. It is
/// ended, as Program::end() does, and this fails, when it prints more than that, when it takes
/// longer than `limit` (then with the number ETIMEDOUT), and when we caught a signal (EINTR).
/// `name` is for errors.
[[nodiscard]] Result<Answer> ask_program(const std::string &name,
                                         const std::vector<std::string> &words,
                                         std::span<uint8_t> out, std::chrono::milliseconds limit);

/// How messages name a program.
[[nodiscard]] std::string quoted(const std::vector<std::string> &words);

} // namespace hwrngd
