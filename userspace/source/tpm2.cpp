// SPDX-License-Identifier: GPL-2.0-or-later
// TPM2_GetRandom by tpm2-tss' system API, the part of it that needs neither sessions nor OpenSSL.
#include "interrupt.h"
#include "source/source.h"

#include <tss2/tss2_sys.h>
#include <tss2/tss2_tcti_device.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace hwrngd {

namespace {

// What a TPM surely returns in one command is its largest digest; SHA-256 is mandatory.
constexpr size_t bytes_a_command = 32;
constexpr std::chrono::milliseconds slice{50}; // how soon a caught signal is noticed

class Tpm2Source : public Source {
public:
	explicit Tpm2Source(std::string device) : device_(std::move(device)) {}
	Tpm2Source(const Tpm2Source &) = delete;
	Tpm2Source &operator=(const Tpm2Source &) = delete;
	~Tpm2Source() override
	{
		if (initialised_sys_)
			Tss2_Sys_Finalize(sys());
		if (initialised_tcti_)
			Tss2_Tcti_Finalize(tcti());
	}

	Result<void> open()
	{
		// What the library would print, we report ourselves; the administrator may still ask.
		setenv("TSS2_LOG", "all+NONE", 0);
		size_t size = 0;
		TSS2_RC rc = Tss2_Tcti_Device_Init(nullptr, &size, nullptr);
		if (rc != TSS2_RC_SUCCESS)
			return refused("cannot prepare", rc);
		tcti_.resize(size);
		errno = 0;
		rc = Tss2_Tcti_Device_Init(tcti(), &size, device_.c_str());
		if (rc != TSS2_RC_SUCCESS)
			return errno != 0 ? fail_errno(errno, device_) : refused("cannot open", rc);
		initialised_tcti_ = true;

		size = Tss2_Sys_GetContextSize(0);
		sys_.resize(size);
		// The header's ABI version, which the library checks against its own.
		TSS2_ABI_VERSION version = TSS2_ABI_VERSION_CURRENT;
		rc = Tss2_Sys_Initialize(sys(), size, tcti(), &version);
		if (rc != TSS2_RC_SUCCESS)
			return refused("cannot prepare", rc);
		initialised_sys_ = true;
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
			return refused("GetRandom cannot be sent", rc);
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
			return refused("GetRandom failed", rc);
		if (random.size == 0)
			return fail(ExitCode::io_error, fmt::format("{}: the TPM returned no byte", device_));
		const size_t n = std::min<size_t>(random.size, out.size());
		std::memcpy(out.data(), &random.buffer[0], n);
		explicit_bzero(&random, sizeof random);
		return n;
	}

private:
	[[nodiscard]] TSS2_TCTI_CONTEXT *tcti()
	{
		return reinterpret_cast<TSS2_TCTI_CONTEXT *>(tcti_.data()); // NOLINT: as the API wants
	}
	[[nodiscard]] TSS2_SYS_CONTEXT *sys()
	{
		return reinterpret_cast<TSS2_SYS_CONTEXT *>(sys_.data()); // NOLINT: as the API wants
	}
	[[nodiscard]] std::unexpected<Error> refused(const char *what, TSS2_RC rc) const
	{
		return fail(ExitCode::io_error,
		            fmt::format("{}: {}, TPM response code 0x{:08x} (`tpm2_rc_decode 0x{:x}` "
		                        "explains it)",
		                        device_, what, rc, rc));
	}

	std::string device_;
	std::vector<std::byte> tcti_;
	std::vector<std::byte> sys_;
	bool initialised_tcti_ = false;
	bool initialised_sys_ = false;
};

} // namespace

Result<std::unique_ptr<Source>> open_tpm2(const std::filesystem::path &device)
{
	auto source = std::make_unique<Tpm2Source>(device.string());
	if (auto opened = source->open(); !opened)
		return std::unexpected(opened.error());
	return source;
}

} // namespace hwrngd
