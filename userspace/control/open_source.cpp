// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/open_source.h"

#include "control/policy.h"

namespace hwrngd {

namespace {

Result<std::unique_ptr<Source>> open_by_kind(const Root &root, const SourceInfo &info)
{
	switch (info.kind) {
	case SourceKind::hwrng:
		break;
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
	return fail(ExitCode::no_source, fmt::format("{}: is read through /dev/hwrng", info.name));
}

} // namespace

Result<std::unique_ptr<Source>> open_alone(const Root &root, const SourceInfo &info)
{
	auto source = open_by_kind(root, info);
	if (!source && source.error().code == ExitCode::not_permitted)
		source.error().message += info.kind == SourceKind::tpm2
		                              ? "; reading it needs root (or membership in group tss)"
		                              : "; reading it needs root";
	return source;
}

Result<OpenSource> OpenSource::open(const Root &root, const Inventory &inventory,
                                    const SourceInfo &info)
{
	OpenSource opened;
	if (info.kind == SourceKind::hwrng) {
		const auto danger =
		    inventory.hwrng ? switching_danger(*inventory.hwrng, info.name) : std::nullopt;
		if (danger)
			return fail(ExitCode::not_permitted,
			            fmt::format("{}: {}; `hwrngctl select --force {}` does it all the same",
			                        info.name, *danger, info.name));
		auto probe = Probe::begin(root, info.name);
		if (!probe)
			return std::unexpected(probe.error());
		opened.probe_.emplace(std::move(*probe));
		return opened;
	}
	auto source = open_alone(root, info);
	if (!source)
		return std::unexpected(source.error());
	opened.source_ = std::move(*source);
	return opened;
}

Result<void> OpenSource::close()
{
	return probe_ ? probe_->end() : Result<void>{};
}

} // namespace hwrngd
