// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's jitterentropy_rng (crypto/jitterentropy.c), which has health tests of its own,
// through AF_ALG (Documentation/crypto/userspace-if.rst).
#include "source/source.h"

#include <linux/if_alg.h>
#include <sys/socket.h>

#include <algorithm>

namespace hwrngd {

namespace {

constexpr const char *title = "the kernel's jitterentropy_rng (AF_ALG)";
constexpr size_t most_bytes = 128; // limit of a read from algif_rng

class Jitter : public Source {
public:
	explicit Jitter(FileDescriptor fd) : fd_(std::move(fd)) {}

	/// Takes some milliseconds of CPU time and does not block, so it needs no limit.
	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds /*limit*/) override
	{
		const auto n = ::read(fd_.get(), out.data(), std::min(out.size(), most_bytes));
		if (n < 0)
			return fail_errno(errno, title);
		return static_cast<size_t>(n);
	}

private:
	FileDescriptor fd_;
};

/// The kernel loads the modules on demand, unless that is forbidden. Newer kernels (7.3) also
/// restrict which algorithms programs may use, until an administrator allows the others.
std::unexpected<Error> fail_missing(const Root &root, int number)
{
	auto error = fail_source(fail_errno(number, title).error());
	if (number != EAFNOSUPPORT && number != ENOENT)
		return error;
	if (root.read_number("/proc/sys/crypto/af_alg_restrict").value_or(0) > 0)
		error.error().message += "; this kernel forbids programs to use it. To allow it: "
		                         "`sysctl crypto.af_alg_restrict=0`";
	else
		error.error().message +=
		    "; the kernel has not loaded it: run `modprobe -a algif_rng jitterentropy_rng`";
	return error;
}

} // namespace

Result<FileDescriptor> connect_jitter(const Root &root)
{
	struct sockaddr_alg address = {};
	address.salg_family = AF_ALG;
	std::ranges::copy(std::string_view("rng"), &address.salg_type[0]);
	std::ranges::copy(std::string_view("jitterentropy_rng"), &address.salg_name[0]);
	const FileDescriptor listener(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
	if (!listener)
		return fail_missing(root, errno);
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) requires it
	if (bind(listener.get(), reinterpret_cast<const struct sockaddr *>(&address), sizeof address) <
	    0)
		return fail_missing(root, errno);
	FileDescriptor fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
	if (!fd)
		return fail_errno(errno, title);
	return fd;
}

std::unique_ptr<Source> read_jitter(FileDescriptor fd)
{
	return std::make_unique<Jitter>(std::move(fd));
}

} // namespace hwrngd
