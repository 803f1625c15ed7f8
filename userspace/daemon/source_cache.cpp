// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/source_cache.h"

#include "control/open_source.h"

#include <utility>

namespace hwrngd {

/// A source that goes back into the cache when it is closed.
class SourceCache::Kept : public Source {
public:
	Kept(std::shared_ptr<SourceCache> cache, std::string name, std::unique_ptr<Source> source,
	     unsigned generation)
	    : cache_(std::move(cache)), name_(std::move(name)), source_(std::move(source)),
	      generation_(generation)
	{
	}
	[[nodiscard]] Result<size_t> read(std::span<uint8_t> out,
	                                  std::chrono::milliseconds limit) override
	{
		auto n = source_->read(out, limit);
		failed_ = !n || *n == 0;
		return n;
	}
	[[nodiscard]] Result<void> close() override
	{
		if (failed_)
			return source_->close();
		cache_->put_back(name_, std::move(source_), generation_);
		return {};
	}

private:
	std::shared_ptr<SourceCache> cache_;
	std::string name_;
	std::unique_ptr<Source> source_;
	unsigned generation_;
	bool failed_ = false; ///< the last read failed, so the source must not be read again
};

Result<std::unique_ptr<Source>> SourceCache::open(const SourceInfo &info)
{
	const bool stays = info.kind == SourceKind::generator || !info.command.empty();
	if (!stays)
		return open_source(root_, info);
	const auto opened_by = generation();
	auto source = take_idle(info.name);
	if (!source) {
		auto opened = open_source(root_, info);
		if (!opened)
			return opened;
		source = std::move(*opened);
	}
	return std::make_unique<Kept>(shared_from_this(), info.name, std::move(source), opened_by);
}

unsigned SourceCache::generation()
{
	const std::lock_guard lock(mutex_);
	return generation_;
}

std::unique_ptr<Source> SourceCache::take_idle(const std::string &name)
{
	const std::lock_guard lock(mutex_);
	auto found = idle_.extract(name);
	return found ? std::move(found.mapped()) : nullptr;
}

void SourceCache::put_back(const std::string &name, std::unique_ptr<Source> source,
                           unsigned generation)
{
	const std::lock_guard lock(mutex_);
	if (generation == generation_ && wanted_.contains(name))
		idle_[name] = std::move(source);
}

void SourceCache::keep_only(std::set<std::string> names)
{
	const std::lock_guard lock(mutex_);
	wanted_ = std::move(names);
	std::erase_if(idle_, [&](const auto &source) { return !wanted_.contains(source.first); });
}

void SourceCache::close_all()
{
	const std::lock_guard lock(mutex_);
	generation_++;
	idle_.clear();
}

} // namespace hwrngd
