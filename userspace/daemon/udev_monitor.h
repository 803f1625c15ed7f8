// SPDX-License-Identifier: GPL-2.0-or-later
// Notices when devices or modules come and go that may add or remove a source. libudev(3).
#pragma once

#include "base/error.h"

#include <array>
#include <chrono>
#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

struct udev_monitor;

namespace hwrngd {

class UdevMonitor {
public:
	/// Listens to udevd if it runs, otherwise to the kernel. After an event, calls `changed` in the
	/// event loop: soon, and twice more later. This is because the event comes before the driver
	/// has registered a source (a TPM's test takes seconds), and the hwrng framework sends no
	/// event.
	[[nodiscard]] static Result<std::unique_ptr<UdevMonitor>> open(asio::io_context &io,
	                                                               std::function<void()> changed);

private:
	using Monitor = std::unique_ptr<udev_monitor, udev_monitor *(*)(udev_monitor *)>;

	UdevMonitor(asio::io_context &io, Monitor monitor, int fd, std::function<void()> changed);
	void wait();
	void call_later(size_t which);

	static constexpr std::array<std::chrono::milliseconds, 3> delays{
	    std::chrono::milliseconds(200), std::chrono::milliseconds(2000),
	    std::chrono::milliseconds(10'000)};

	Monitor monitor_;
	asio::posix::stream_descriptor descriptor_;
	asio::steady_timer later_;
	std::function<void()> changed_;
};

} // namespace hwrngd
