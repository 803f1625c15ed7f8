// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that read sources: to test and measure them, and to feed the pool.
#include "assess/assess.h"
#include "command/command_line.h"

namespace hwrngd {

void add_test(CLI::App &app, Run &run)
{
	constexpr uint64_t most_blocks = 1'000'000'000'000; // more than a source returns in a lifetime
	const auto options = std::make_shared<TestOptions>();
	auto &test =
	    *app.add_subcommand("test", "Test a source, file or pipe with the tests of FIPS 140-2");
	auto *file = test.add_option("FILE", options->file,
	                             "The file or device to test, or - for standard input");
	test.add_option("-s,--source", options->source,
	                "The source to test, by its name in `hwrngctl list`; default: the best one")
	    ->type_name("SOURCE")
	    ->excludes(file);
	test.add_option("-b,--blocks", options->blocks,
	                "Blocks of 20,000 bits to test; default: all of a file or pipe, 16 of a device "
	                "or source")
	    ->type_name("N")
	    ->check(in_range(uint64_t{1}, most_blocks));
	on_call(test, run, options, test_command);
	test.footer(examples("hwrngctl test --source tpm_rng.0 --blocks 100\n  "
	                     "PROGRAM | head -c 2500004 | hwrngctl test -"));
}

void add_bench(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<BenchOptions>();
	auto &bench = *app.add_subcommand("bench", "Measure how fast the sources are");
	bench
	    .add_option("-s,--source", options->sources,
	                "The source to measure; repeat the option for several; default: all sources, "
	                "except other machines and hwrngs to which hwrngd would not switch")
	    ->type_name("SOURCE")
	    ->allow_extra_args(false);
	bench.add_option("-t,--seconds", options->seconds, "Seconds for each source, 0.1 to 30")
	    ->type_name("SECONDS")
	    ->check(check_number)
	    ->check(in_range(least_bench_seconds, most_bench_seconds))
	    ->default_str("3");
	on_call(bench, run, options, bench_command);
	bench.footer(examples("hwrngctl bench\n  "
	                      "hwrngctl bench --source rdseed --seconds 10"));
}

void add_assess(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<AssessOptions>();
	auto &assess = *app.add_subcommand(
	    "assess", "Estimate the min-entropy of a source, file or pipe by SP 800-90B");
	auto *samples = assess.add_option(
	    "FILE", options->file,
	    "The file or device to assess, or - for standard input; one sample per byte");
	assess
	    .add_option("-s,--source", options->source,
	                "The source to assess, by its name in `hwrngctl list`")
	    ->type_name("SOURCE")
	    ->excludes(samples);
	assess
	    .add_option(
	        "-w,--bits", options->bits,
	        "Width of a sample in bits, 1 to 8; default (or 0): as many bits as the largest "
	        "sample of a file needs, 8 for a source")
	    ->type_name("BITS")
	    ->check(in_range(0U, 8U));
	assess
	    .add_option(
	        "-n,--samples", options->samples,
	        "Samples to assess, up to 16777216; default: all of a file or pipe, 1,000,000 of "
	        "a device or source")
	    ->type_name("N")
	    ->check(in_range(uint64_t{1}, assess::most_samples));
	assess.add_flag("--iid", options->iid,
	                "Also run the IID track (section 5): are the samples independent and "
	                "identically distributed?");
	assess
	    .add_option(
	        "--restart", options->restart,
	        "Also run the restart tests (section 3.1.4) on this file: the first 1000 samples "
	        "after each of 1000 restarts")
	    ->type_name("FILE");
	assess
	    .add_option("--html", options->html, "Also write a report to this file: one page of HTML")
	    ->type_name("FILE");
	assess.add_flag("--save", options->save,
	                "Limit the credit of the source to the result, from now on");
	on_call(assess, run, options, assess_command);
	assess.footer(examples("hwrngctl assess --source rdseed --html report.html"));
}

void add_feed(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<FeedOptions>();
	auto &feed = *app.add_subcommand("feed", "Test the best source and feed the kernel's pool");
	// Required, so that nobody expects this command to keep feeding.
	const std::string once = "Feed once and exit (required; the daemon hwrngd feeds all the time)";
	feed.add_flag("--once", once)->required();
	feed.add_option("-s,--source", options->source,
	                "Use only this source; default: the best one that is healthy")
	    ->type_name("SOURCE");
	feed.add_option("-n,--bytes", options->bytes, "Bytes to feed, 1 to 1048576")
	    ->type_name("N")
	    ->check(in_range(uint64_t{1}, most_feed_bytes))
	    ->default_str("2500");
	feed.add_flag("--dry-run", options->dry_run, "Read and test, but feed nothing");
	on_call(feed, run, options, feed_command);
	feed.footer(examples("hwrngctl feed --once --dry-run"));
}

} // namespace hwrngd
