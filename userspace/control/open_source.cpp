// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/open_source.h"

#include "control/policy.h"
#include "kernel/hwrng_sysfs.h"
#include "kernel/probe.h"

#include <utility>

namespace hwrngd {

namespace {

Result<std::unique_ptr<Source>> open_hwrng(const Root &root, const std::string &name)
{
	if (const auto state = HwrngSysfs(root).read())
		if (const auto danger = switching_danger(*state, name))
			return fail(ExitCode::not_permitted,
			            fmt::format("{}: {}; `hwrngctl select --force {}` switches anyway", name,
			                        *danger, name));
	return hwrng_probe::open(root, name);
}

Result<std::unique_ptr<Source>> open_by_kind(const Root &root, const SourceInfo &info)
{
	switch (info.kind) {
	case SourceKind::hwrng:
		return open_hwrng(root, info.name);
	case SourceKind::tpm2:
		return open_tpm2(root, "/dev/" + info.name);
	case SourceKind::cpu:
		return open_cpu_instruction(info.name);
	case SourceKind::generator:
		return open_generator(root, info.path, info.speed);
	case SourceKind::command:
	case SourceKind::egd:
	case SourceKind::ssh:
		return open_command(
		    info.kind == SourceKind::command ? quoted(info.command) : info.driver, [root, info] {
			    return root.broker() ? root.broker()->run(info.name) : start_program(info.command);
		    });
	case SourceKind::jitter: {
		auto fd = root.broker() ? root.broker()->jitter() : connect_jitter(root);
		if (!fd)
			return std::unexpected(fd.error());
		return read_jitter(std::move(*fd));
	}
	}
	std::unreachable();
}

} // namespace

Result<std::unique_ptr<Source>> open_source(const Root &root, const SourceInfo &info)
{
	auto source = open_by_kind(root, info);
	// The message for a hwrng already says this.
	if (!source && source.error().code == ExitCode::not_permitted && info.kind != SourceKind::hwrng)
		source.error().message += info.kind == SourceKind::tpm2
		                              ? "; reading it needs root (or membership of the group tss)"
		                              : "; reading it needs root";
	return source;
}

} // namespace hwrngd
