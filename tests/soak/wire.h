// SPDX-License-Identifier: GPL-2.0-or-later
// Connects a device with its reader: a real file, FIFO or serial line, which can be unplugged.
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
	/// The wire is `name` in `tree` between plug() and unplug().
	Wire(const test::FakeTree &tree, const std::string &name, WireKind kind)
	    : path_(tree.at(name)), kind_(kind)
	{
		plug();
	}

	void plug();
	void unplug();

	/// Writes `size` bytes of `device`, if it is plugged and has room.
	void put(Device &device, size_t size);
	/// Empties a FIFO.
	void drain();

private:
	std::filesystem::path path_;
	WireKind kind_;
	std::mutex mutex_; // guards end_
	FileDescriptor end_;
};

} // namespace hwrngd::soak
