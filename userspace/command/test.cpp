// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/interrupt.h"
#include "base/json_object.h"
#include "command/command.h"
#include "command/output.h"
#include "command/sample.h"
#include "control/policy.h"

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

constexpr uint64_t blocks_of_a_device = 16; // 40 kB, which take a slow virtio-rng a few seconds
constexpr size_t blocks_a_read_of_a_file = 100;

struct Tested {
	std::string name;
	Sample sample;
};

Result<Tested> test_file(const std::string &file, const TestOptions &options)
{
	auto source = open_device(file, blocks_a_read_of_a_file * fips140_2::block_bytes);
	if (!source)
		return std::unexpected(source.error());
	SampleOptions how{
	    .blocks = options.blocks, .blocks_a_read = blocks_a_read_of_a_file, .title = file};
	if (!how.blocks && !ends(file))
		how.blocks = blocks_of_a_device;
	auto sample = test_blocks(**source, how, [](auto, auto) {});
	if (!sample)
		return std::unexpected(sample.error());
	if (sample->fips.blocks == 0 && interrupted() == 0)
		return fail(
		    ExitCode::check_failed,
		    fmt::format("{}: {} bytes are too few: a test needs at least {} (4 bytes, and a "
		                "block of 20,000 bits)",
		                file, sample->bytes_read,
		                fips140_2::bootstrap_bytes + fips140_2::block_bytes));
	return Tested{file, *sample};
}

Result<Tested> test_source(const Context &context, const TestOptions &options)
{
	const auto inventory = inventory_of(context);
	if (!inventory)
		return std::unexpected(inventory.error());
	const auto candidates = rank(*inventory, options.source);
	if (!candidates)
		return std::unexpected(candidates.error());
	const auto &info = candidates->front().source;
	auto opened = open_source(context.root, info);
	if (!opened)
		return std::unexpected(opened.error());
	const SampleOptions how{.blocks = options.blocks.value_or(blocks_of_a_device),
	                        .title = info.name};
	auto sample = test_blocks(**opened, how, [](auto, auto) {});
	if (auto closed = (*opened)->close(); !closed)
		return std::unexpected(closed.error());
	if (!sample)
		return std::unexpected(sample.error());
	return Tested{info.name, *sample};
}

} // namespace

Result<ExitCode> test_command(const Context &context, const TestOptions &options)
{
	const auto tested =
	    options.file ? test_file(*options.file, options) : test_source(context, options);
	if (!tested)
		return std::unexpected(tested.error());
	const auto &fips = tested->sample.fips;
	if (fips.blocks == 0)
		return ExitCode::interrupted;
	const bool healthy = fips.healthy();
	if (context.json) {
		print_json(json_object({{"source", tested->name},
		                        {"bytes", tested->sample.bytes_read},
		                        {"fips", to_json(fips)},
		                        {"failures_allowed", fips140_2::failures_allowed(fips.blocks)},
		                        {"healthy", healthy}}));
	} else {
		fmt::print("FIPS 140-2 tests of {}: {} blocks of 20,000 bits\n", tested->name, fips.blocks);
		for (const auto test : fips140_2::all_tests)
			fmt::print("  {:<16}{:>8} failed\n", fips140_2::name(test), fips.of(test));
		fmt::print("  {:<16}{:>8} failed; a perfect source fails at most {} in 99.9 % of runs\n",
		           "Blocks", fips.failures,
		           counted(fips140_2::failures_allowed(fips.blocks), "block"));
		fmt::print("Verdict: {}\n", healthy ? "healthy" : "UNHEALTHY, do not use this source");
	}
	if (interrupted() != 0)
		return ExitCode::interrupted;
	return healthy ? ExitCode::done : ExitCode::check_failed;
}

} // namespace hwrngd
