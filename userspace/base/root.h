// SPDX-License-Identifier: GPL-2.0-or-later
// The tree that holds sysfs, procfs and /dev: "/" in production, a temporary folder in tests.
#pragma once

#include "base/broker.h"
#include "base/error.h"
#include "base/file_descriptor.h"

#include <sys/stat.h>

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

	/// From now on, `broker` opens what this process has no right to open.
	void ask(std::shared_ptr<const Broker> broker) { broker_ = std::move(broker); }
	/// The broker, or nullptr if there is none.
	[[nodiscard]] const std::shared_ptr<const Broker> &broker() const { return broker_; }

	/// The path of `name` in this tree. `name` is absolute, as on a real machine.
	[[nodiscard]] std::filesystem::path at(std::string_view name) const;
	[[nodiscard]] bool exists(std::string_view name) const;
	/// True if device `name` exists. A unit may hide it (PrivateDevices=); if there is a broker,
	/// the device's folder `in_sysfs` counts too.
	[[nodiscard]] bool has_device(std::string_view name, std::string_view in_sysfs) const;

	/// As stat(2), through the broker if necessary.
	[[nodiscard]] Result<struct stat> status(std::string_view name) const;
	/// True if `name` does not exist. A file that cannot be looked at, such as one in an unreadable
	/// folder, is not missing.
	[[nodiscard]] bool is_missing(std::string_view name) const;

	/// Opens `name` with the open(2) flags `flags` and O_CLOEXEC, through the broker if necessary.
	[[nodiscard]] Result<FileDescriptor> open(std::string_view name, int flags) const;

	/// Reads a small file of the kernel, without white space at its end.
	[[nodiscard]] Result<std::string> read(std::string_view name) const;

	/// Like read(), but std::nullopt if the file is missing or unreadable.
	[[nodiscard]] std::optional<std::string> read_if_any(std::string_view name) const;

	/// Like read_if_any(), but parses an unsigned decimal number; std::nullopt if it is not one.
	[[nodiscard]] std::optional<unsigned> read_number(std::string_view name) const;

	/// Writes `text` in one write(2), as sysfs requires.
	[[nodiscard]] Result<void> write(std::string_view name, std::string_view text) const;

	/// The names in folder `name`, sorted. Empty if there is no such folder.
	[[nodiscard]] std::vector<std::string> list(std::string_view name) const;

private:
	std::filesystem::path path_;
	std::shared_ptr<const Broker> broker_;
};

} // namespace hwrngd
