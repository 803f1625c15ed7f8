// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/open_source.h"

#include "control/policy.h"

namespace hwrngd {

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
		auto visit = Visit::begin(root, info.name);
		if (!visit)
			return std::unexpected(visit.error());
		opened.visit_.emplace(std::move(*visit));
		return opened;
	}
	auto source = info.kind == SourceKind::tpm2 ? open_tpm2(root.at("/dev/" + info.name))
	                                            : open_cpu_instruction(info.name);
	if (!source) {
		if (source.error().code == ExitCode::not_permitted)
			source.error().message += "; reading it needs root (or membership in group tss)";
		return std::unexpected(source.error());
	}
	opened.source_ = std::move(*source);
	return opened;
}

Result<void> OpenSource::close()
{
	return visit_ ? visit_->end() : Result<void>{};
}

} // namespace hwrngd
