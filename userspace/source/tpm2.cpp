// SPDX-License-Identifier: GPL-2.0-or-later
// TPM2_GetRandom through the system API of tpm2-tss, the part of it that needs neither sessions nor
// OpenSSL.
#include "base/interrupt.h"
#include "base/secret_buffer.h"
#include "source/source.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <tss2/tss2_sys.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hwrngd {

namespace {

// One command can always return as much as the TPM's largest digest; SHA-256 is mandatory.
constexpr size_t bytes_a_command = 32;
constexpr size_t largest_response = 4096;      // the kernel's TPM_BUFSIZE
constexpr std::chrono::milliseconds slice{50}; // how soon a caught signal is noticed

/// Connects tpm2-tss to an open device. The library's own TCTI opens the device by name, which this
/// process may not be allowed to. TCG TSS 2.0 TPM Command Transmission Interface, 3.2.
class Tcti {
public:
	explicit Tcti(FileDescriptor fd) : fd_(std::move(fd))
	{
		context_.magic = magic;
		context_.version = 1;
		context_.transmit = transmit;
		context_.receive = receive;
		context_.self = this;
	}
	Tcti(const Tcti &) = delete;
	Tcti &operator=(const Tcti &) = delete;
	~Tcti() = default;

	[[nodiscard]] TSS2_TCTI_CONTEXT *context()
	{
		return reinterpret_cast<TSS2_TCTI_CONTEXT *>(&context_); // NOLINT: the API requires it
	}

private:
	struct Context : TSS2_TCTI_CONTEXT_COMMON_V1 {
		Tcti *self;
	};
	static constexpr uint64_t magic = 0x687772'6e676421; // "hwrngd!"

	/// Sends a command. Does not wait for the TPM, since the descriptor has O_NONBLOCK.
	static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
	{
		auto &self = *reinterpret_cast<Context *>(context)->self; // NOLINT: the API requires it
		self.have_ = 0;
		const auto n = ::write(self.fd_.get(), command, size);
		return n == static_cast<ssize_t>(size) ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
	}

	/// Returns a whole response, waiting up to `timeout` milliseconds. If `response` is nullptr,
	/// returns only the size.
	static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response,
	                       int32_t timeout)
	{
		if (size == nullptr)
			return TSS2_TCTI_RC_BAD_REFERENCE;
		auto &self = *reinterpret_cast<Context *>(context)->self; // NOLINT: the API requires it
		if (const auto rc = self.await(timeout); rc != TSS2_RC_SUCCESS)
			return rc;
		const auto room = std::exchange(*size, self.have_);
		if (response == nullptr)
			return TSS2_RC_SUCCESS;
		if (room < self.have_)
			return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
		std::memcpy(response, self.response_.span().data(), self.have_);
		self.have_ = 0;
		return TSS2_RC_SUCCESS;
	}

	/// Reads the response, unless it was read already. One read(2) returns all of it.
	TSS2_RC await(int32_t timeout)
	{
		if (have_ > 0)
			return TSS2_RC_SUCCESS;
		struct pollfd waited = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
		const int ready = ::poll(&waited, 1, timeout);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			return TSS2_TCTI_RC_TRY_AGAIN;
		if (ready < 0)
			return TSS2_TCTI_RC_IO_ERROR;
		const auto n = ::read(fd_.get(), response_.span().data(), response_.span().size());
		if (n < 0 && errno == EAGAIN)
			return TSS2_TCTI_RC_TRY_AGAIN;
		if (n <= 0) // such as when the device is gone
			return TSS2_TCTI_RC_IO_ERROR;
		have_ = static_cast<size_t>(n);
		return TSS2_RC_SUCCESS;
	}

	FileDescriptor fd_;
	Context context_{};
	SecretBuffer response_{largest_response};
	size_t have_ = 0; ///< bytes of a response that receive() has not returned yet
};

class Tpm2Source : public Source {
public:
	Tpm2Source(std::string device, FileDescriptor fd)
	    : device_(std::move(device)), tcti_(std::move(fd))
	{
	}
	Tpm2Source(const Tpm2Source &) = delete;
	Tpm2Source &operator=(const Tpm2Source &) = delete;
	~Tpm2Source() override
	{
		if (initialised_)
			Tss2_Sys_Finalize(sys());
	}

	Result<void> prepare()
	{
		// Errors are reported here, not by the library, unless the administrator set TSS2_LOG.
		setenv("TSS2_LOG", "all+NONE", 0);
		// The library checks the header's ABI version against its own.
		TSS2_ABI_VERSION version = TSS2_ABI_VERSION_CURRENT;
		const auto rc = Tss2_Sys_Initialize(sys(), sys_.span().size(), tcti_.context(), &version);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_error("cannot initialise tpm2-tss", rc);
		initialised_ = true;
		return {};
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		const auto end = std::chrono::steady_clock::now() + limit;
		const auto wanted = static_cast<UINT16>(std::min(out.size(), bytes_a_command));
		TSS2_RC rc = Tss2_Sys_GetRandom_Prepare(sys(), wanted);
		if (rc == TSS2_RC_SUCCESS)
			rc = Tss2_Sys_ExecuteAsync(sys());
		if (rc != TSS2_RC_SUCCESS)
			return tpm_error("cannot send GetRandom", rc);
		while ((rc = Tss2_Sys_ExecuteFinish(sys(), static_cast<int32_t>(slice.count()))) ==
		       TSS2_TCTI_RC_TRY_AGAIN) {
			if (interrupted() != 0)
				return fail_errno(EINTR, device_);
			if (std::chrono::steady_clock::now() >= end)
				return fail_stalled(device_, limit);
		}
		TPM2B_DIGEST random = {};
		if (rc == TSS2_RC_SUCCESS)
			rc = Tss2_Sys_GetRandom_Complete(sys(), &random);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_error("GetRandom failed", rc);
		if (random.size == 0)
			return fail(ExitCode::io_error, fmt::format("{}: the TPM returned no data", device_));
		const size_t n = std::min<size_t>(random.size, out.size());
		std::memcpy(out.data(), &random.buffer[0], n);
		explicit_bzero(&random, sizeof random);
		return n;
	}

private:
	[[nodiscard]] TSS2_SYS_CONTEXT *sys()
	{
		return reinterpret_cast<TSS2_SYS_CONTEXT *>(sys_.span().data()); // NOLINT: for the API
	}
	[[nodiscard]] std::unexpected<Error> tpm_error(const char *what, TSS2_RC rc) const
	{
		return fail(ExitCode::io_error,
		            fmt::format("{}: {}, TPM response code 0x{:08x} (`tpm2_rc_decode 0x{:x}` "
		                        "explains it)",
		                        device_, what, rc, rc));
	}

	std::string device_;
	Tcti tcti_;
	SecretBuffer sys_{Tss2_Sys_GetContextSize(0)}; // secret, because it also holds responses
	bool initialised_ = false;
};

} // namespace

Result<std::unique_ptr<Source>> open_tpm2(const Root &root, const std::string &device)
{
	auto fd = root.open(device, O_RDWR | O_NONBLOCK);
	if (!fd)
		return fail_source(fd.error());
	auto source = std::make_unique<Tpm2Source>(root.at(device).string(), std::move(*fd));
	if (auto prepared = source->prepare(); !prepared)
		return std::unexpected(prepared.error());
	return source;
}

} // namespace hwrngd
