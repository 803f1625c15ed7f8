// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool/kernel_pool.h"

#include "base/privileges.h"
#include "base/secret_buffer.h"
#include "kernel/crng.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace hwrngd {

Result<KernelPool> KernelPool::open(const Root &root)
{
	if (!has_capability(root, CAP_SYS_ADMIN))
		return fail(ExitCode::not_permitted,
		            "feeding the kernel's pool needs CAP_SYS_ADMIN: run it as root (sudo)");
	auto fd = root.open("/dev/random", O_WRONLY);
	if (!fd)
		return std::unexpected(fd.error());
	return KernelPool(root, std::move(*fd));
}

Result<void> KernelPool::add(std::span<const uint8_t> bytes, uint64_t bits)
{
	constexpr auto most = static_cast<uint64_t>(std::numeric_limits<int>::max());
	if (bytes.size() > most || bits > bytes.size() * 8)
		return fail(ExitCode::usage,
		            fmt::format("{} bytes cannot be credited with {} bits", bytes.size(), bits));
	SecretBuffer buffer(sizeof(rand_pool_info) + bytes.size());
	const rand_pool_info header{.entropy_count = static_cast<int>(std::min(bits, most)),
	                            .buf_size = static_cast<int>(bytes.size())};
	std::memcpy(buffer.span().data(), &header, sizeof header);
	std::memcpy(buffer.span().data() + sizeof header, bytes.data(), bytes.size());
	if (ioctl(fd_.get(), RNDADDENTROPY, buffer.span().data()) < 0)
		return fail_errno(errno, "ioctl RNDADDENTROPY on /dev/random");
	return {};
}

Result<bool> KernelPool::reseed()
{
	if (ioctl(fd_.get(), RNDRESEEDCRNG) == 0)
		return true;
	if (errno == ENODATA)
		return false;
	return fail_errno(errno, "ioctl RNDRESEEDCRNG on /dev/random");
}

std::optional<PoolLevel> KernelPool::level()
{
	constexpr unsigned size_without_meaning = 256; // of kernels since 5.18
	const auto number = [&](const char *name) {
		return root_.read_number(std::string("/proc/sys/kernel/random/") + name);
	};
	const auto size = number("poolsize");
	const auto available = number("entropy_avail");
	const auto threshold = number("write_wakeup_threshold");
	if (!size || *size <= size_without_meaning || !available || !threshold)
		return std::nullopt;
	return PoolLevel{.available = *available, .threshold = *threshold, .size = *size};
}

bool KernelPool::ready()
{
	return crng_ready();
}

} // namespace hwrngd
