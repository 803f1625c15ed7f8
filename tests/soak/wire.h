// SPDX-License-Identifier: GPL-2.0-or-later
// Between a device and who reads it: a real file, FIFO or serial line, which can be pulled out.
#pragma once

#include "base/file_descriptor.h"
#include "device.h"
#include "fake_tree.h"

#include <memory>
#include <string>
#include <utility>

namespace hwrngd::soak {

enum class WireKind : uint8_t { file, fifo, serial };

class Wire {
public:
	/// Appears as `name` in `tree`, from plug() to unplug().
	Wire(const test::FakeTree &tree, const std::string &name, WireKind kind)
	    : path_(tree.at(name)), kind_(kind)
	{
		plug();
	}

	void plug();
	void unplug();

	/// Puts `size` bytes of `device` into it, if it is there and has room.
	void put(Device &device, size_t size);
	/// Takes out what is in a FIFO.
	void drain();

private:
	std::filesystem::path path_;
	WireKind kind_;
	std::mutex mutex_; // guards end_
	FileDescriptor end_;
};

} // namespace hwrngd::soak
