// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/root.h"

#include "base/number.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

namespace hwrngd {

namespace {

// No file that is read here is larger. The limit keeps a wrong --root from filling memory.
constexpr size_t max_file = size_t{1} << 20;

/// True if the broker may reach what this process fails to reach with errno value `number`. The
/// unit may hide devices (PrivateDevices=) and forbid writing (ProtectKernelTunables=).
bool may_be_reached(std::string_view name, int number)
{
	const bool hidden = number == ENOENT && name.starts_with("/dev/");
	return number == EACCES || number == EPERM || number == EROFS || hidden;
}

} // namespace

std::filesystem::path Root::at(std::string_view name) const
{
	if (name.starts_with('/'))
		name.remove_prefix(1);
	return path_ / name;
}

bool Root::exists(std::string_view name) const
{
	std::error_code ignored; // a file in an unreadable folder counts as missing
	return std::filesystem::exists(at(name), ignored);
}

bool Root::has_device(std::string_view name, std::string_view in_sysfs) const
{
	return exists(name) || (broker_ && exists(in_sysfs));
}

Result<struct stat> Root::status(std::string_view name) const
{
	const auto path = at(name);
	struct stat status = {};
	if (::stat(path.c_str(), &status) == 0)
		return status;
	const int number = errno;
	if (!broker_ || !may_be_reached(name, number))
		return fail_errno(number, path.string());
	const auto fd = broker_->open(name, O_PATH); // which does nothing to a device
	if (!fd)
		return std::unexpected(fd.error());
	if (::fstat(fd->get(), &status) < 0)
		return fail_errno(errno, path.string());
	return status;
}

bool Root::is_missing(std::string_view name) const
{
	const auto found = status(name);
	return !found && (found.error().number == ENOENT || found.error().number == ENOTDIR);
}

Result<FileDescriptor> Root::open(std::string_view name, int flags) const
{
	const auto path = at(name);
	constexpr mode_t mode = 0644; // of a file that O_CREAT creates
	FileDescriptor fd{::open(path.c_str(), flags | O_CLOEXEC, mode)};
	if (fd)
		return fd;
	const int number = errno;
	if (broker_ && may_be_reached(name, number))
		return broker_->open(name, flags);
	return fail_errno(number, path.string());
}

Result<std::string> Root::read(std::string_view name) const
{
	auto fd = open(name, O_RDONLY);
	if (!fd)
		return std::unexpected(fd.error());

	std::string text;
	std::array<char, 4096> chunk{};
	while (text.size() < max_file) {
		const ssize_t n = ::read(fd->get(), chunk.data(), chunk.size());
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(errno, at(name).string());
		if (n == 0)
			break;
		text.append(chunk.data(), static_cast<size_t>(n));
	}
	const auto end = text.find_last_not_of(" \t\r\n");
	text.erase(end == std::string::npos ? 0 : end + 1);
	return text;
}

std::optional<std::string> Root::read_if_any(std::string_view name) const
{
	auto text = read(name);
	if (!text)
		return std::nullopt;
	return std::move(*text);
}

std::optional<unsigned> Root::read_number(std::string_view name) const
{
	const auto text = read_if_any(name);
	return text ? parse_number<unsigned>(*text) : std::nullopt;
}

Result<void> Root::write(std::string_view name, std::string_view text) const
{
	auto fd = open(name, O_WRONLY | O_TRUNC);
	if (!fd)
		return std::unexpected(fd.error());
	const ssize_t n = ::write(fd->get(), text.data(), text.size());
	if (n < 0)
		return fail_errno(errno, at(name).string());
	if (static_cast<size_t>(n) != text.size())
		return fail(ExitCode::io_error, fmt::format("{}: only {} of {} bytes were written",
		                                            at(name).string(), n, text.size()));
	return {};
}

std::vector<std::string> Root::list(std::string_view name) const
{
	std::vector<std::string> names;
	std::error_code error;
	for (std::filesystem::directory_iterator it(at(name), error), end; !error && it != end;
	     it.increment(error))
		names.push_back(it->path().filename().string());
	std::sort(names.begin(), names.end());
	return names;
}

} // namespace hwrngd
