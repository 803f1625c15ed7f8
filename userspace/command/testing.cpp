// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that read sources: to test and measure them, and to feed.
#include "assess/assess.h"
#include "command/command_line.h"

namespace hwrngd {

void add_test(CLI::App &app, Run &run)
{
	constexpr uint64_t most_blocks = 1'000'000'000'000; // more than a source gives in a lifetime
	const auto options = std::make_shared<TestOptions>();
	auto &test = *app.add_subcommand("test", "Test a source, file or pipe by FIPS 140-2");
	auto *file = test.add_option("FILE", options->file, "A file or device; - is standard input");
	test.add_option("-s,--source", options->source,
	                "A source of `hwrngctl list`; default: the best")
	    ->type_name("SOURCE")
	    ->excludes(file);
	test.add_option("-b,--blocks", options->blocks,
	                "Blocks of 20,000 bits; default: all of a file or pipe, 16 of a device")
	    ->check(CLI::Range(uint64_t{1}, most_blocks));
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
	                "This source; may be given several times; default: all of them")
	    ->type_name("SOURCE")
	    ->allow_extra_args(false);
	bench.add_option("-t,--seconds", options->seconds, "Seconds for each source, 0.1 to 30")
	    ->check(no_number)
	    ->check(CLI::Range(least_bench_seconds, most_bench_seconds))
	    ->default_str("3");
	on_call(bench, run, options, bench_command);
	bench.footer(examples("hwrngctl bench\n  "
	                      "hwrngctl bench --source rdseed --seconds 10"));
}

void add_assess(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<AssessOptions>();
	auto &assess =
	    *app.add_subcommand("assess", "Assess the entropy of a source, file or pipe by SP 800-90B");
	auto *samples =
	    assess.add_option("FILE", options->file, "One sample a byte; - is standard input");
	assess.add_option("-s,--source", options->source, "A source of `hwrngctl list`")
	    ->type_name("SOURCE")
	    ->excludes(samples);
	assess
	    .add_option("-w,--bits", options->bits,
	                "Bits per sample, in the lowest bits of a byte; default: as many as the "
	                "greatest sample of a file needs, 8 of a source")
	    ->check(CLI::Range(0U, 8U));
	assess
	    .add_option("-n,--samples", options->samples,
	                "Samples to assess; default: all of a file or pipe, 1,000,000 of a "
	                "device or source")
	    ->check(CLI::Range(uint64_t{1}, assess::most_samples));
	assess.add_flag("--iid", options->iid, "Also test whether the samples are IID (section 5)");
	assess
	    .add_option("--restart", options->restart,
	                "Also run the restart tests (3.1.4) on this file of 1000 samples of each "
	                "of 1000 restarts")
	    ->type_name("FILE");
	assess.add_option("--html", options->html, "Write a report to this file")->type_name("FILE");
	assess.add_flag("--save", options->save,
	                "Credit the source from now on with no more than it was assessed to have");
	on_call(assess, run, options, assess_command);
	assess.footer(examples("hwrngctl assess --source rdseed --html report.html"));
}

void add_feed(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<FeedOptions>();
	auto &feed = *app.add_subcommand("feed", "Test the best source and feed the kernel's pool");
	// It tells that nothing runs from now on, and has no other meaning.
	const std::string once = "Feed once and end (the daemon hwrngd feeds for ever)";
	feed.add_flag("--once", once)->required();
	feed.add_option("-s,--source", options->source, "This source and no other")
	    ->type_name("SOURCE");
	feed.add_option("-n,--bytes", options->bytes, "Bytes to feed")
	    ->check(CLI::Range(uint64_t{1}, most_feed_bytes))
	    ->default_str("2500");
	feed.add_flag("--dry-run", options->dry_run, "Read and test, but feed nothing");
	on_call(feed, run, options, feed_command);
	feed.footer(examples("hwrngctl feed --once --dry-run"));
}

} // namespace hwrngd
