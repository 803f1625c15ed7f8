// SPDX-License-Identifier: GPL-2.0-or-later
// The tree in which sysfs, procfs and dev are looked up: "/" in life, a temporary folder in tests.
#pragma once

#include "base/broker.h"
#include "base/error.h"
#include "base/file_descriptor.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

class Root {
public:
	explicit Root(std::filesystem::path path = "/") : path_(std::move(path)) {}

	/// From now on, what this process has no right to is asked of `broker`.
	void ask(std::shared_ptr<const Broker> broker) { broker_ = std::move(broker); }
	/// That broker, or nullptr.
	[[nodiscard]] const std::shared_ptr<const Broker> &broker() const { return broker_; }

	/// Path of `name` (absolute, as on a real machine) within this tree.
	[[nodiscard]] std::filesystem::path at(std::string_view name) const;
	[[nodiscard]] bool exists(std::string_view name) const;
	/// Can device `name` be opened, here or by the broker? A unit can hide it (PrivateDevices=);
	/// then the device's folder `in_sysfs` tells.
	[[nodiscard]] bool has_device(std::string_view name, std::string_view in_sysfs) const;

	/// Opens `name` with open(2) `flags` (O_CLOEXEC is added), by the broker if need be.
	[[nodiscard]] Result<FileDescriptor> open(std::string_view name, int flags) const;

	/// The whole of a small kernel file, without white space at its end.
	[[nodiscard]] Result<std::string> read(std::string_view name) const;

	/// As read(), for what may well be missing or unreadable: nothing then.
	[[nodiscard]] std::optional<std::string> read_if_any(std::string_view name) const;

	/// As read_if_any(), as an unsigned decimal number.
	[[nodiscard]] std::optional<unsigned> read_number(std::string_view name) const;

	/// Writes `text` in one write(2), as sysfs wants it.
	[[nodiscard]] Result<void> write(std::string_view name, std::string_view text) const;

	/// Names in folder `name`, sorted; none when there is no such folder.
	[[nodiscard]] std::vector<std::string> list(std::string_view name) const;

private:
	std::filesystem::path path_;
	std::shared_ptr<const Broker> broker_;
};

} // namespace hwrngd
