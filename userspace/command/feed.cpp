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

/// What a healthy source gave: `good` bytes from the front of `buffer`, all from blocks that
/// passed.
struct Harvest {
	SourceInfo source;
	std::string reason;
	Sample sample;
	SecretBuffer buffer;
	size_t good = 0;
};

/// Reads and tests enough whole blocks for `bytes` bytes, at least one. Blocks that failed are
/// left out; a source that fails more than a perfect one would is an error.
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
	// Put back before anything else can fail.
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
		return fail(ExitCode::check_failed,
		            fmt::format("{}: unhealthy, FIPS 140-2: {}; nothing of it is credited{}",
		                        candidate.source.name, to_text(fips),
		                        fips.of(fips140_2::continuous) == 0 && fips.failures == 1
		                            ? ". A perfect source fails so twice in a row once in a "
		                              "million times; if this is the first time, try again"
		                            : ""));
	return got;
}

/// As harvest(), and once more where that found the source unhealthy: a perfect source fails one
/// block in 1,200 and would be refused as often.
Result<Harvest> try_harvest(const Context &context, const Candidate &candidate, size_t bytes)
{
	auto got = harvest(context, candidate, bytes);
	if (got || got.error().code != ExitCode::check_failed)
		return got;
	return harvest(context, candidate, bytes);
}

struct Fed {
	uint64_t bits = 0;
	unsigned assessed = full_quality; ///< bits in 1024 that are credited at most
	std::optional<unsigned> decided;  ///< bits in 1024 by configuration, instead of half the claim
	bool reseeded = false;
	bool ready_before = false;
};

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
	const bool bounded =
	    fed.decided ? fed.assessed < *fed.decided : 2 * fed.assessed < got.source.claim;
	const char *why = fed.decided ? "as configured" : "half of what it claims";
	fmt::print("{} {} bytes, credited with {} bits ({}, {} in 1024)\n",
	           dry_run ? "Would feed" : "Fed      ", got.good, fed.bits,
	           bounded ? "what it was assessed to have" : why,
	           bounded ? fed.assessed : fed.decided.value_or(got.source.claim));
	const bool ready = crng_ready();
	const char *more = "";
	if (dry_run)
		more = "; dry run: nothing was fed";
	else if (fed.reseeded)
		more = ", reseeded just now";
	else if (!ready)
		more = "; feed again until it is (`hwrngctl status`)";
	fmt::print("CRNG      {}{}\n", ready ? "ready" : "not ready yet", more);
}

/// The error that tells most when no source would do: a sick source before a missing one.
Error worst(const std::vector<Rejected> &rejected)
{
	for (const auto code : {ExitCode::check_failed, ExitCode::not_permitted, ExitCode::io_error})
		for (const auto &other : rejected)
			if (other.error.code == code)
				return {code, rejected.size() == 1 ? other.error.message
				                                   : "no source would do; nothing was fed"};
	return rejected.front().error;
}

/// The first candidate that is healthy, and what it gave; those before it are in `rejected`.
Result<Harvest> harvest_best(const Context &context, const std::vector<Candidate> &candidates,
                             size_t bytes, std::vector<Rejected> &rejected)
{
	bool framework_stalled = false;
	for (const auto &candidate : candidates) {
		// The framework serves one reader at a time, and a read that hangs cannot be called back.
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

/// Feeds the harvest, credited as the configuration has it; without a pool only says what would be.
Result<Fed> feed(std::optional<KernelPool> &pool, const Config &config, Harvest &got)
{
	const auto said = config.source(got.source.name);
	const unsigned assessed = said.assessed.value_or(full_quality);
	Fed fed{.bits = credited_bits(got.good, got.source.claim, assessed, said.credit),
	        .assessed = assessed,
	        .decided = said.credit,
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
		            fmt::format("--bytes {}: give 1 to {}; the pool itself holds 32", options.bytes,
		                        most_feed_bytes));
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	const auto inventory = take_inventory(context.root, *config);
	const auto candidates = rank(inventory, options.source);
	if (!candidates)
		return std::unexpected(candidates.error());
	// Before a slow source is read for nothing.
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
