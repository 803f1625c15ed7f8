// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/interrupt.h"
#include "base/json_object.h"
#include "base/secret_buffer.h"
#include "command/command.h"
#include "command/output.h"
#include "command/sample.h"
#include "control/config.h"
#include "control/credit.h"
#include "control/policy.h"
#include "kernel/crng.h"
#include "pool/kernel_pool.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using fips140_2::block_bytes;

struct Rejected {
	std::string source;
	Error error;
};

/// The data of a healthy source: the first `good` bytes of `buffer`, all from blocks that passed.
struct Harvest {
	SourceInfo source;
	std::string reason;
	Sample sample;
	SecretBuffer buffer;
	size_t good = 0;
};

/// Reads and tests enough whole blocks for `bytes` bytes, at least one, and omits blocks that
/// failed. Fails if the source is unhealthy: more blocks failed than a perfect source would
/// explain.
Result<Harvest> harvest(const Context &context, const Candidate &candidate, size_t bytes)
{
	const size_t blocks = std::max<size_t>(1, (bytes + block_bytes - 1) / block_bytes);
	Harvest got{candidate.source, candidate.reason, {}, SecretBuffer(blocks * block_bytes)};
	auto opened = open_source(context.root, candidate.source);
	if (!opened)
		return std::unexpected(opened.error());
	auto sample =
	    test_blocks(**opened, {.blocks = blocks, .title = candidate.source.name},
	                [&](auto block, uint8_t failed) {
		                if (failed != 0)
			                return;
		                std::memcpy(&got.buffer.span()[got.good], block.data(), block.size());
		                got.good += block.size();
	                });
	// Restore rng_current before anything else can fail.
	if (auto closed = (*opened)->close(); !closed)
		return std::unexpected(closed.error());
	if (interrupted() != 0)
		return fail_errno(EINTR, candidate.source.name);
	if (!sample)
		return std::unexpected(sample.error());
	got.sample = *sample;
	got.good = std::min(got.good, bytes);
	const auto &fips = got.sample.fips;
	if (fips.blocks < blocks)
		return fail(ExitCode::io_error,
		            fmt::format("{}: ended after {} of {} bytes", candidate.source.name,
		                        got.sample.bytes_read, blocks * block_bytes));
	if (!fips.healthy())
		return fail(
		    ExitCode::check_failed,
		    fmt::format("{}: unhealthy, FIPS 140-2: {}; none of its bytes are credited{}",
		                candidate.source.name, to_text(fips),
		                fips.of(fips140_2::continuous) == 0 && fips.failures == 1
		                    ? ". A perfect source fails like this twice in a row in one of a "
		                      "million runs. If this is the first time, try again"
		                    : ""));
	return got;
}

/// Calls harvest(), and once more if that found the source unhealthy: a perfect source fails one
/// block in 1,200, and would otherwise be refused that often.
Result<Harvest> try_harvest(const Context &context, const Candidate &candidate, size_t bytes)
{
	auto got = harvest(context, candidate, bytes);
	if (got || got.error().code != ExitCode::check_failed)
		return got;
	return harvest(context, candidate, bytes);
}

struct Fed {
	uint64_t bits = 0;
	unsigned assessed = full_quality; ///< at most so many bits in 1024 are credited
	std::optional<unsigned>
	    decided; ///< bits in 1024 that the configuration sets instead of half the claim
	std::string distrust = {}; ///< why nothing is credited, whatever the source claims
	bool reseeded = false;
	bool ready_before = false;
};

/// How many bits in 1024 are credited, and why.
std::string explained(const Harvest &got, const Fed &fed)
{
	if (!fed.distrust.empty())
		return fed.distrust;
	const bool bounded =
	    fed.decided ? fed.assessed < *fed.decided : 2 * fed.assessed < got.source.claim;
	if (bounded)
		return fmt::format("what it was assessed to have, {} in 1024", fed.assessed);
	if (fed.decided)
		return fmt::format("as configured, {} in 1024", *fed.decided);
	return fmt::format("half of what it claims, {} in 1024", got.source.claim);
}

void print_json_result(const Harvest &got, const Fed &fed, const std::vector<Rejected> &rejected,
                       bool dry_run)
{
	nlohmann::ordered_json others = nlohmann::ordered_json::array();
	for (const auto &other : rejected)
		others.push_back(json_object({{"source", other.source},
		                              {"reason", other.error.message},
		                              {"exit_code", static_cast<int>(other.error.code)}}));
	print_json(
	    json_object({{"source", got.source.name},
	                 {"kind", name(got.source.kind)},
	                 {"reason", got.reason},
	                 {"bytes", dry_run ? 0 : got.good},
	                 {"fips", to_json(got.sample.fips)},
	                 {"claim", got.source.claim},
	                 {"assessed", fed.assessed},
	                 {"credit", fed.decided ? nlohmann::ordered_json(*fed.decided) : nullptr},
	                 {"distrust", fed.distrust.empty() ? nlohmann::ordered_json(nullptr)
	                                                   : nlohmann::ordered_json(fed.distrust)},
	                 {"credited_bits", dry_run ? 0 : fed.bits},
	                 {"would_credit_bits", fed.bits},
	                 {"crng_ready_before", fed.ready_before},
	                 {"crng_ready", crng_ready()},
	                 {"reseeded", fed.reseeded},
	                 {"dry_run", dry_run},
	                 {"rejected", others}}));
}

void print_text_result(const Harvest &got, const Fed &fed, bool dry_run)
{
	const auto &fips = got.sample.fips;
	fmt::print("Source    {} ({})\n", got.source.name, got.reason);
	fmt::print("Health    FIPS 140-2: {}; healthy\n", to_text(fips));
	fmt::print("{} {} bytes, credited with {} bits ({})\n", dry_run ? "Would feed" : "Fed      ",
	           got.good, fed.bits, explained(got, fed));
	const bool ready = crng_ready();
	const char *more = "";
	if (dry_run)
		more = "; dry run: nothing was fed";
	else if (fed.reseeded)
		more = ", reseeded just now";
	else if (!ready)
		more = fed.bits == 0 ? "; bytes without credit do not make it ready"
		                     : "; feed again until it is ready (see `hwrngctl status`)";
	fmt::print("CRNG      {}{}\n", ready ? "ready" : "not ready yet", more);
}

/// The most informative error if no source was usable: an unhealthy source before a missing one.
Error worst(const std::vector<Rejected> &rejected)
{
	for (const auto code : {ExitCode::check_failed, ExitCode::not_permitted, ExitCode::io_error})
		for (const auto &other : rejected)
			if (other.error.code == code)
				return {code, rejected.size() == 1 ? other.error.message
				                                   : "no source was usable; nothing was fed"};
	return rejected.front().error;
}

/// The data of the first healthy candidate. Adds the candidates before it to `rejected`.
Result<Harvest> harvest_best(const Context &context, const std::vector<Candidate> &candidates,
                             size_t bytes, std::vector<Rejected> &rejected)
{
	bool framework_stalled = false;
	for (const auto &candidate : candidates) {
		// The framework serves one reader at a time, and a hanging read cannot be cancelled.
		const bool by_framework = candidate.source.kind == SourceKind::hwrng;
		if (framework_stalled && by_framework)
			continue;
		auto got = try_harvest(context, candidate, bytes);
		if (got || got.error().code == ExitCode::interrupted)
			return got;
		framework_stalled |= got.error().number == ETIMEDOUT && by_framework;
		if (candidates.size() > 1)
			fmt::print(stderr, "hwrngctl: {}\n", got.error().message);
		rejected.push_back({candidate.source.name, got.error()});
	}
	return std::unexpected(worst(rejected));
}

/// Feeds the harvest with the credit of the configuration. Without a pool it only computes the
/// credit.
Result<Fed> feed(std::optional<KernelPool> &pool, const Config &config, Harvest &got)
{
	const auto configured = config.source(got.source.name);
	const unsigned assessed = configured.assessed.value_or(full_quality);
	Fed fed{.bits = credited_bits(got.good, got.source, configured),
	        .assessed = assessed,
	        .decided = configured.credit,
	        .distrust = std::string(why_uncredited(got.source, configured)),
	        .ready_before = crng_ready()};
	if (!pool)
		return fed;
	if (auto added = pool->add(got.buffer.span().first(got.good), fed.bits); !added)
		return std::unexpected(added.error());
	const auto reseeded = pool->reseed();
	if (!reseeded)
		return std::unexpected(reseeded.error());
	fed.reseeded = *reseeded;
	return fed;
}

} // namespace

Result<ExitCode> feed_command(const Context &context, const FeedOptions &options)
{
	if (options.bytes < 1 || options.bytes > most_feed_bytes)
		return fail(ExitCode::usage,
		            fmt::format("--bytes {}: must be 1 to {}; the pool itself holds 32 bytes",
		                        options.bytes, most_feed_bytes));
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	const auto inventory = take_inventory(context.root, *config);
	const auto candidates = rank(inventory, options.source, *config);
	if (!candidates)
		return std::unexpected(candidates.error());
	// Open the pool first, so that a slow source is not read in vain.
	std::optional<KernelPool> pool;
	if (!options.dry_run) {
		auto opened = KernelPool::open(context.root);
		if (!opened)
			return std::unexpected(opened.error());
		pool.emplace(std::move(*opened));
	}
	std::vector<Rejected> rejected;
	auto got = harvest_best(context, *candidates, static_cast<size_t>(options.bytes), rejected);
	if (!got)
		return std::unexpected(got.error());
	const auto fed = feed(pool, *config, *got);
	if (!fed)
		return std::unexpected(fed.error());
	if (context.json)
		print_json_result(*got, *fed, rejected, options.dry_run);
	else
		print_text_result(*got, *fed, options.dry_run);
	return ExitCode::done;
}

} // namespace hwrngd
