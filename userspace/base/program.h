// SPDX-License-Identifier: GPL-2.0-or-later
// Runs other programs and reads their output.
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
	/// Ends the program, as end() does.
	virtual ~Program() = default;

	/// The program's standard output: a descriptor with O_NONBLOCK.
	[[nodiscard]] virtual int output() const = 0;

	/// Ends the program and its children by SIGTERM and, after a moment, SIGKILL, unless it has
	/// ended by itself. Returns its status, see wait(2). Call it only once.
	[[nodiscard]] virtual Result<int> end() = 0;
};

/// Starts `words`: a program, which is looked up in PATH, and its arguments. It runs in its own
/// process group, with no signal blocked or ignored, and standard input is /dev/null.
[[nodiscard]] Result<std::unique_ptr<Program>> start_program(const std::vector<std::string> &words);

/// The result of run_program().
struct Ended {
	int status = 0;        ///< see wait(2)
	std::string complaint; ///< its standard error
};

/// Runs `words` like start_program(), and waits for its end.
[[nodiscard]] Result<Ended> run_program(const std::vector<std::string> &words);

/// The result of ask_program().
struct Answer {
	int status = 0;        ///< see wait(2)
	size_t size = 0;       ///< bytes that it printed
	std::string complaint; ///< the end of its standard error
};

/// Runs `words` like start_program(), waits for its end, and stores its standard output in `out`.
/// Ends the program, as Program::end() does, and fails when:
/// - it prints more than out.size() bytes,
/// - it takes longer than `limit` (error number ETIMEDOUT),
/// - this process caught a signal (error number EINTR).
/// Error messages call the program `name`.
[[nodiscard]] Result<Answer> ask_program(const std::string &name,
                                         const std::vector<std::string> &words,
                                         std::span<uint8_t> out, std::chrono::milliseconds limit);

/// A command as messages show it: in backquotes.
[[nodiscard]] std::string quoted(const std::vector<std::string> &words);

} // namespace hwrngd
