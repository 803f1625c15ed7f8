// SPDX-License-Identifier: GPL-2.0-or-later
// A source that reads the output of a command.
#include "base/program.h"
#include "source/nonblocking.h"
#include "source/source.h"

#include <sys/wait.h>

#include <utility>

namespace hwrngd {

namespace {

class Command : public Source {
public:
	Command(std::string name, StartProgram start) : name_(std::move(name)), start_(std::move(start))
	{
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		const auto end = std::chrono::steady_clock::now() + limit;
		while (true) {
			if (!program_) {
				auto started = start_();
				if (!started)
					return fail_source(started.error());
				program_ = std::move(*started);
				gave_ = 0;
			}
			const auto n = read_until(name_, program_->output(), out, limit, end);
			if (!n)
				return n;
			gave_ += *n;
			if (*n > 0)
				return n;
			// The program has closed its output, so it is of no more use.
			if (auto ended = end_program(); !ended)
				return std::unexpected(ended.error());
		}
	}

private:
	/// Ends the program. Succeeds if it exited with status 0 and gave output, so that it may be
	/// started again.
	Result<void> end_program()
	{
		const auto status = std::exchange(program_, nullptr)->end();
		if (!status)
			return std::unexpected(status.error());
		if (WIFEXITED(*status) && WEXITSTATUS(*status) != 0)
			return fail(ExitCode::io_error,
			            fmt::format("{}: exited with status {}", name_, WEXITSTATUS(*status)));
		if (gave_ == 0)
			return fail(ExitCode::io_error, fmt::format("{}: ended without output", name_));
		return {};
	}

	std::string name_;
	StartProgram start_;
	std::unique_ptr<Program> program_;
	size_t gave_ = 0; ///< bytes read since the program was started
};

} // namespace

std::unique_ptr<Source> open_command(std::string name, StartProgram start)
{
	return std::make_unique<Command>(std::move(name), std::move(start));
}

} // namespace hwrngd
