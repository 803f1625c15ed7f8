// SPDX-License-Identifier: GPL-2.0-or-later
// Tells when devices or modules come and go that may bring or take a source. libudev(3).
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
	/// Listens to udevd where it runs, else to the kernel. After events `changed` is called in the
	/// event loop: soon, and twice later, since a device is known before its driver has made a
	/// source of it (a TPM's test takes seconds), and the hwrng framework says nothing.
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
