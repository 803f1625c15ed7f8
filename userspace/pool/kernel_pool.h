// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's pool: random(4), drivers/char/random.c.
#pragma once

#include "base/file_descriptor.h"
#include "base/root.h"
#include "pool/sink.h"

#include <cstdint>
#include <span>

namespace hwrngd {

class KernelPool : public Sink {
public:
	/// Errors: ExitCode::not_permitted without CAP_SYS_ADMIN, before anything is read or fed.
	[[nodiscard]] static Result<KernelPool> open(const Root &root);

	/// Mixes `bytes` (at most 2^31 - 1) in and credits them with `bits` (ioctl RNDADDENTROPY).
	[[nodiscard]] Result<void> add(std::span<const uint8_t> bytes, uint64_t bits) override;

	/// Makes the kernel use the credited bytes now (ioctl RNDRESEEDCRNG, Linux 4.14). False while
	/// the CRNG has never been seeded, so that it cannot be reseeded.
	[[nodiscard]] Result<bool> reseed() override;

	/// Read from /proc/sys/kernel/random; nothing since Linux 5.18.
	[[nodiscard]] std::optional<PoolLevel> level() override;

	/// Same as crng_ready().
	[[nodiscard]] bool ready() override;

private:
	KernelPool(Root root, FileDescriptor fd) : root_(std::move(root)), fd_(std::move(fd)) {}

	Root root_;
	FileDescriptor fd_;
};

} // namespace hwrngd
