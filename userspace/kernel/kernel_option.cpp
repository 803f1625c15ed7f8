// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_option.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace hwrngd {

namespace {

/// Calls `is_it` with each line of a file until it returns true. The file is large, and the daemon
/// runs for years: it is not read into memory as a whole.
template <typename IsIt> void search_lines(const FileDescriptor &fd, IsIt is_it)
{
	std::string rest;
	std::array<char, 4096> chunk{};
	for (;;) {
		const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		rest.append(chunk.data(), static_cast<size_t>(n));
		size_t begin = 0;
		for (size_t end = 0; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1)
			if (is_it(std::string_view(rest).substr(begin, end - begin)))
				return;
		rest.erase(0, begin);
	}
	is_it(rest);
}

} // namespace

std::optional<KernelOption> kernel_option(const Root &root, const std::string &release,
                                          std::string_view name)
{
	const auto set = fmt::format("{}=", name);
	const auto not_set = fmt::format("# {} is not set", name);
	// Debian's file, then Fedora's, which also exists in some containers and images without /boot.
	for (const auto &file : {"/boot/config-" + release, "/lib/modules/" + release + "/config"}) {
		const auto fd = root.open(file, O_RDONLY);
		if (!fd)
			continue;
		KernelOption option{.value = "", .file = file};
		search_lines(*fd, [&](std::string_view line) {
			if (line.starts_with(set))
				option.value = line.substr(set.size());
			else if (line == not_set)
				option.value = "n";
			return !option.value.empty();
		});
		return option;
	}
	return std::nullopt;
}

} // namespace hwrngd
