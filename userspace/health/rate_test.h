// SPDX-License-Identifier: GPL-2.0-or-later
// Detects a source that has become far slower: a generator that is stuck may still trickle.
#pragma once

#include <chrono>
#include <cstdint>

namespace hwrngd {

class RateTest {
public:
	/// The reading time per check: longer than any interruption on a busy machine.
	static constexpr std::chrono::seconds window{2};
	/// A source that is slower by this factor than in all windows before is too slow.
	static constexpr double most = 100;

	/// Records that `bytes` bytes took `time` to read. Returns false at the end of a window in
	/// which the source was too slow.
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

	/// Bytes per second in the last complete window, and in all windows before it.
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
