// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngctl: shows a machine's sources of randomness, tests them, selects one for the kernel, and
// feeds the kernel's pool. The commands are added here and implemented in command/.
#include "base/interrupt.h"
#include "command/command.h"
#include "command/command_line.h"
#include "command/help_text.h"
#include "command/output.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hwrngd {

namespace {

/// Reads the command line: the common options into its members, and the command into `run_`.
class CommandLine {
public:
	CommandLine()
	{
		// Commands inherit the form of the help, and the option for it, when they are added.
		app_.formatter(help_formatter());
		app_.set_help_flag("-h,--help", "Print this help and exit");
		app_.name("hwrngctl");
		app_.set_version_flag("-V,--version", "hwrngctl " HWRNGD_VERSION,
		                      "Print the version and exit");
		app_.require_subcommand(1);
		app_.fallthrough();
		app_.add_option("-o,--output", output_,
		                "Print text for people, or one JSON document for programs")
		    ->transform(CLI::IsMember({"text", "json"}))
		    ->default_str("text");
		app_.add_option("--root", root_,
		                "Look for /sys, /proc, /dev and /lib/modules below this folder, for tests")
		    ->type_name("FOLDER")
		    ->default_str("/");
		for (auto *add : {add_status, add_list, add_top, add_doctor, add_metrics, add_policy,
		                  add_select, add_load, add_unload, add_test, add_bench, add_assess,
		                  add_feed, add_check, add_ssh_serve, add_ssh_setup})
			add(app_, run_);
		add_examples(); // last, because commands inherit the footer when they are added
	}

	/// The exit code if parsing ends the program (help, version, an error), or none if a command is
	/// to run.
	std::optional<ExitCode> parse(int argc, char **argv)
	{
		try {
			app_.parse(argc, argv);
		} catch (const CLI::ParseError &error) {
			// Help and version are "errors" of code 0; everything else is usage.
			if (error.get_exit_code() == 0) {
				app_.exit(error);
				return ExitCode::done;
			}
			return report({ExitCode::usage, explain(error)}, asked_for_json());
		}
		return std::nullopt;
	}

	[[nodiscard]] bool json() const { return output_ == "json"; }
	[[nodiscard]] Result<ExitCode> run() const { return run_({Root(root_), json()}); }

private:
	/// Whether --output is json. Read from the option, because a line with an error leaves the
	/// variables unset.
	[[nodiscard]] bool asked_for_json() const
	{
		const auto &given = app_.get_option("--output")->results();
		return !given.empty() && given.back() == "json";
	}

	/// What is wrong, in which command, and which help describes it.
	[[nodiscard]] std::string explain(const CLI::ParseError &error) const
	{
		std::string command;
		for (auto parsed = app_.get_subcommands(); !parsed.empty();
		     parsed = parsed.front()->get_subcommands())
			command += (command.empty() ? "" : " ") + parsed.front()->get_name();
		if (!command.empty())
			return fmt::format("{0}: {1}; see `hwrngctl {0} --help`", command, error.what());
		if (dynamic_cast<const CLI::RequiredError *>(&error) == nullptr)
			return fmt::format("{}; see `hwrngctl --help`", error.what());
		std::string names;
		for (const auto *one : app_.get_subcommands([](const CLI::App *) { return true; }))
			names += (names.empty() ? "" : ", ") + one->get_name();
		const auto unknown = app_.remaining();
		return fmt::format("{}; the commands are: {}; see `hwrngctl --help`",
		                   unknown.empty()
		                       ? std::string("a command is missing")
		                       : fmt::format("\"{}\" is not a command", unknown.front()),
		                   names);
	}

	void add_examples()
	{
		app_.footer(
		    "Examples:\n"
		    "  hwrngctl status                     the sources, and what feeds the pool\n"
		    "  hwrngctl top                        watch the sources while they work\n"
		    "  hwrngctl doctor                     what is wrong, and what to do\n"
		    "  hwrngctl load tpm                   make the TPM a hwrng of the kernel\n"
		    "  hwrngctl select tpm_rng.0           let the kernel use that hwrng\n"
		    "  hwrngctl test --source tpm_rng.0    is the source healthy?\n"
		    "  hwrngctl bench                      how fast is each source?\n"
		    "  hwrngctl assess --source rdseed     how much entropy does it have?\n"
		    "  hwrngctl feed --once                test the best source and feed the pool\n"
		    "  hwrngctl check scs                  does this machine meet SCS 0101?\n"
		    "  hwrngctl check openstack            does every server of a cloud get an RNG?\n"
		    "Exit codes: 0 success, 1 check failed, 2 wrong usage, 3 no source,\n"
		    "4 not permitted, 5 input or output error, 69 something needed is unavailable.\n"
		    "See hwrngctl(8).");
	}

	CLI::App app_{"Choose, test and use this machine's hardware random number generators."};
	std::string output_ = "text";
	std::string root_ = "/";
	Run run_;
};

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	// If the reader of a pipe exits, rng_current must still be restored.
	std::signal(SIGPIPE, SIG_IGN);
	CommandLine line;
	if (const auto code = line.parse(argc, argv))
		return static_cast<int>(flush_output(*code));
	const auto caught = catch_interrupts();
	const auto result = caught ? line.run() : std::unexpected(caught.error());
	const ExitCode code = flush_output(result ? *result : report(result.error(), line.json()));
	if (code == ExitCode::interrupted)
		die_of_interrupt();
	return static_cast<int>(code);
} catch (const std::exception &error) {
	// Out of memory or threads. Unwinding has already restored what was changed.
	std::fputs("hwrngctl: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
