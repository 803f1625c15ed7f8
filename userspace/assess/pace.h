// SPDX-License-Identifier: GPL-2.0-or-later
// Progress of the work, and stopping it. Every estimator checks regularly.
#pragma once

#include "assess/assess.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace hwrngd::assess {

/// Adds up the work of all threads.
class Monitor {
public:
	Monitor(Options options, double all_work) : options_(std::move(options)), all_(all_work) {}

	[[nodiscard]] bool stopped() const { return options_.stop.stop_requested(); }

	void add(double work)
	{
		const std::lock_guard lock(mutex_);
		done_ += work;
		if (options_.progress)
			options_.progress(std::min(done_ / all_, 1.0));
	}

private:
	Options options_;
	double all_;
	std::mutex mutex_;
	double done_ = 0;
};

/// The progress of one estimator.
class Pace {
public:
	Pace(Monitor &monitor, double work) : monitor_(monitor), work_(work) {}
	Pace(const Pace &) = delete;
	Pace &operator=(const Pace &) = delete;
	~Pace() { reach(1); }

	[[nodiscard]] bool stopped() const { return monitor_.stopped(); }

	/// Runs step(from, to) over first ... last in pieces. Returns false if it was stopped; then the
	/// results so far must not be used.
	template <typename Step> [[nodiscard]] bool run(size_t first, size_t last, const Step &step)
	{
		constexpr size_t piece = size_t{1} << 16U; // a multiple of 64 that takes some milliseconds
		for (size_t from = first; from < last;) {
			if (monitor_.stopped())
				return false;
			const size_t to = std::min(last, from + piece);
			step(from, to);
			from = to;
			reach(static_cast<double>(from - first) / static_cast<double>(last - first));
		}
		return !monitor_.stopped();
	}

private:
	void reach(double share)
	{
		monitor_.add((share - share_) * work_);
		share_ = share;
	}

	Monitor &monitor_;
	double work_;
	double share_ = 0;
};

} // namespace hwrngd::assess
