// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/readings.h"

#include "control/open_source.h"

#include <utility>

namespace hwrngd {

class Readings::OfHwrng : public Reading {
public:
	explicit OfHwrng(OpenSource opened) : opened_(std::move(opened)) {}
	[[nodiscard]] Source &source() override { return opened_.source(); }
	[[nodiscard]] Result<void> end(bool /*failed*/) override { return opened_.close(); }

private:
	OpenSource opened_;
};

class Readings::Kept : public Reading {
public:
	Kept(std::shared_ptr<Readings> keeper, SourceInfo info, std::unique_ptr<Source> source,
	     unsigned generation)
	    : keeper_(std::move(keeper)), info_(std::move(info)), source_(std::move(source)),
	      generation_(generation)
	{
	}
	[[nodiscard]] Source &source() override { return *source_; }
	[[nodiscard]] Result<void> end(bool failed) override
	{
		const bool stays = info_.kind == SourceKind::generator || !info_.command.empty();
		if (stays && !failed)
			keeper_->keep(info_.name, std::move(source_), generation_);
		return {};
	}

private:
	std::shared_ptr<Readings> keeper_;
	SourceInfo info_;
	std::unique_ptr<Source> source_;
	unsigned generation_;
};

Result<std::unique_ptr<Reading>> Readings::open(const SourceInfo &info)
{
	if (info.kind == SourceKind::hwrng) {
		// Only what decides whether the framework may be switched.
		Inventory inventory;
		if (auto state = HwrngSysfs(root_).read())
			inventory.hwrng = std::move(*state);
		auto opened = OpenSource::open(root_, inventory, info);
		if (!opened)
			return std::unexpected(opened.error());
		return std::make_unique<OfHwrng>(std::move(*opened));
	}
	std::unique_ptr<Source> source;
	unsigned generation = 0;
	{
		const std::lock_guard lock(mutex_);
		generation = generation_;
		if (const auto found = idle_.find(info.name); found != idle_.end()) {
			source = std::move(found->second);
			idle_.erase(found);
		}
	}
	if (!source) {
		auto opened = open_alone(root_, info);
		if (!opened)
			return std::unexpected(opened.error());
		source = std::move(*opened);
	}
	return std::make_unique<Kept>(shared_from_this(), info, std::move(source), generation);
}

void Readings::keep(const std::string &name, std::unique_ptr<Source> source, unsigned generation)
{
	const std::lock_guard lock(mutex_);
	if (generation == generation_ && wanted_.contains(name))
		idle_[name] = std::move(source);
}

void Readings::keep_only(std::set<std::string> names)
{
	const std::lock_guard lock(mutex_);
	wanted_ = std::move(names);
	std::erase_if(idle_, [&](const auto &source) { return !wanted_.contains(source.first); });
}

void Readings::close_all()
{
	const std::lock_guard lock(mutex_);
	generation_++;
	idle_.clear();
}

} // namespace hwrngd
