// SPDX-License-Identifier: GPL-2.0-or-later
// A line on the terminal that shows the progress of long work.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace hwrngd {

/// Updates its line on standard error after the first second, but only on a terminal.
class Progress {
public:
	explicit Progress(std::string what) : what_(std::move(what)) {}
	Progress(const Progress &) = delete;
	Progress &operator=(const Progress &) = delete;
	~Progress()
	{
		if (shown_)
			std::fputs("\r\033[K", stderr);
	}

	/// Shows a text, for work without a known end.
	void update(std::string_view text)
	{
		if (is_due())
			fmt::print(stderr, "\r\033[K{}: {}", what_, text);
	}

	/// Shows a bar and the time left; `share` of the work is done, 0 to 1.
	void update(double share, std::string_view text = "")
	{
		constexpr size_t width = 30;
		if (share <= 0 || !is_due())
			return;
		const std::chrono::duration<double> spent = last_ - start_;
		const auto filled = static_cast<size_t>(share * width);
		fmt::print(stderr, "\r\033[K{} [{:#<{}}{:-<{}}] {:.0f} %, {:.0f} s left{}{}", what_, "",
		           filled, "", width - filled, share * 100, spent.count() / share - spent.count(),
		           text.empty() ? "" : ", ", text);
	}

private:
	bool is_due()
	{
		using namespace std::chrono;
		const auto now = steady_clock::now();
		if (!terminal_ || now - start_ < seconds(1) || now - last_ < milliseconds(200))
			return false;
		last_ = now;
		shown_ = true;
		return true;
	}

	std::string what_;
	bool terminal_ = isatty(STDERR_FILENO) == 1;
	bool shown_ = false;
	std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
	std::chrono::steady_clock::time_point last_;
};

} // namespace hwrngd
