// SPDX-License-Identifier: GPL-2.0-or-later
// The output of a command.
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
			// It has closed its output, and has no other purpose.
			if (auto ended = ended_well(); !ended)
				return std::unexpected(ended.error());
		}
	}

private:
	/// One that ended well and gave something may be started again.
	Result<void> ended_well()
	{
		const auto status = std::exchange(program_, nullptr)->end();
		if (!status)
			return std::unexpected(status.error());
		if (WIFEXITED(*status) && WEXITSTATUS(*status) != 0)
			return fail(ExitCode::io_error,
			            fmt::format("{}: ended with {}", name_, WEXITSTATUS(*status)));
		if (gave_ == 0)
			return fail(ExitCode::io_error, fmt::format("{}: ended and gave nothing", name_));
		return {};
	}

	std::string name_;
	StartProgram start_;
	std::unique_ptr<Program> program_;
	size_t gave_ = 0; ///< bytes since it was started
};

} // namespace

std::unique_ptr<Source> open_command(std::string name, StartProgram start)
{
	return std::make_unique<Command>(std::move(name), std::move(start));
}

} // namespace hwrngd
