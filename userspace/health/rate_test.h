// SPDX-License-Identifier: GPL-2.0-or-later
// Does a source become far slower than it was? A generator that is stuck may still trickle.
#pragma once

#include <chrono>
#include <cstdint>

namespace hwrngd {

class RateTest {
public:
	/// It is judged by so much time of reading, which no hiccup of a busy machine fills.
	static constexpr std::chrono::seconds window{2};
	/// Slower by this factor than all windows before is too slow.
	static constexpr double most = 100;

	/// Notes that `bytes` bytes took `time` to read. False at the end of a window in which it was
	/// too slow.
	[[nodiscard]] bool test(uint64_t bytes, std::chrono::duration<double> time)
	{
		bytes_ += static_cast<double>(bytes);
		time_ += time;
		if (time_ < window)
			return true;
		now_ = bytes_ / time_.count();
		before_ = time_before_.count() > 0 ? bytes_before_ / time_before_.count() : now_;
		bytes_before_ += bytes_;
		time_before_ += time_;
		bytes_ = 0;
		time_ = {};
		return now_ * most >= before_;
	}

	/// Bytes a second of the last whole window, and of those before it.
	[[nodiscard]] double now() const { return now_; }
	[[nodiscard]] double before() const { return before_; }

private:
	double bytes_ = 0;
	std::chrono::duration<double> time_{};
	double bytes_before_ = 0;
	std::chrono::duration<double> time_before_{};
	double now_ = 0;
	double before_ = 0;
};

} // namespace hwrngd
