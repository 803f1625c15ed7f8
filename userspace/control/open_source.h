// SPDX-License-Identifier: GPL-2.0-or-later
// From what the inventory lists to what can be read.
#pragma once

#include "control/inventory.h"
#include "kernel/probe.h"
#include "source/source.h"

#include <memory>
#include <optional>

namespace hwrngd {

/// A source for which nothing else has to be changed: any but a hwrng.
[[nodiscard]] Result<std::unique_ptr<Source>> open_alone(const Root &root, const SourceInfo &info);

/// A source of the inventory, open for reading; a hwrng is made current for as long as this lives.
class OpenSource {
public:
	[[nodiscard]] static Result<OpenSource> open(const Root &root, const Inventory &inventory,
	                                             const SourceInfo &info);

	[[nodiscard]] Source &source() { return probe_ ? probe_->source() : *source_; }

	/// Puts back what was changed.
	[[nodiscard]] Result<void> close();

private:
	std::optional<Probe> probe_;
	std::unique_ptr<Source> source_;
};

} // namespace hwrngd
