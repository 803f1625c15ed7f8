// SPDX-License-Identifier: GPL-2.0-or-later
// Tells when devices or modules come and go that may bring or take a source, and when this machine
// became a copy of another one. libudev(3).
#pragma once

#include "error.h"

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
	/// What is called in the event loop.
	struct Hooks {
		/// After events: soon, and twice later, since a device is known before its driver has made
		/// a source of it (a TPM's test takes seconds), and the hwrng framework says nothing.
		std::function<void()> changed;
		/// When a snapshot of this virtual machine was restored, or it was copied
		/// (drivers/virt/vmgenid.c says so since Linux 6.8).
		std::function<void()> cloned;
	};

	/// Listens to udevd where it runs, else to the kernel.
	[[nodiscard]] static Result<std::unique_ptr<UdevMonitor>> open(asio::io_context &io,
	                                                               Hooks hooks);

private:
	using Monitor = std::unique_ptr<udev_monitor, udev_monitor *(*)(udev_monitor *)>;

	UdevMonitor(asio::io_context &io, Monitor monitor, int fd, Hooks hooks);
	void wait();
	void call_later(size_t which);

	static constexpr std::array<std::chrono::milliseconds, 3> delays{
	    std::chrono::milliseconds(200), std::chrono::milliseconds(2000),
	    std::chrono::milliseconds(10'000)};

	Monitor monitor_;
	asio::posix::stream_descriptor descriptor_;
	asio::steady_timer later_;
	Hooks hooks_;
};

} // namespace hwrngd
