// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngctl: looks at a machine's sources of randomness, tests them, chooses among them, feeds the
// kernel's pool from them. One table of commands.
#include "base/interrupt.h"
#include "command/command.h"
#include "command/command_line.h"
#include "command/output.h"
#include "control/inventory.h"

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hwrngd {

Result<Inventory> inventory_of(const Context &context)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	return take_inventory(context.root, *config);
}

namespace {

/// The command line: fills what it points to, and `run` with the command that was asked for.
class CommandLine {
public:
	CommandLine()
	{
		app_.name("hwrngctl");
		app_.set_version_flag("-V,--version", "hwrngctl " HWRNGD_VERSION);
		app_.require_subcommand(1);
		app_.fallthrough();
		app_.add_option("-o,--output", output_, "Output for people (text) or programs (json)")
		    ->transform(CLI::IsMember({"text", "json"}))
		    ->default_str("text");
		app_.add_option("--root", root_,
		                "Look for /sys, /proc, /dev and /lib/modules below this folder")
		    ->type_name("FOLDER")
		    ->default_str("/");
		for (auto *add : {add_status, add_list, add_top, add_doctor, add_metrics, add_policy,
		                  add_select, add_load, add_unload, add_test, add_bench, add_assess,
		                  add_feed, add_check, add_ssh_serve, add_ssh_setup})
			add(app_, run_);
		add_examples(); // last, since a command takes over what its parent has when it is added
	}

	/// The exit code of a parse that ends the program, or nothing when a command is to be run.
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
	/// What --output says, even where the rest of the line is wrong: no option is bound to its
	/// variable then.
	[[nodiscard]] bool asked_for_json() const
	{
		const auto &given = app_.get_option("--output")->results();
		return !given.empty() && given.back() == "json";
	}

	/// What is wrong, in which command, and where to look.
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
		return fmt::format("{}; there are: {}; see `hwrngctl --help`",
		                   unknown.empty() ? std::string("a command is missing")
		                                   : fmt::format("\"{}\" is no command", unknown.front()),
		                   names);
	}

	void add_examples()
	{
		app_.footer(
		    "Examples:\n"
		    "  hwrngctl status                     what this machine has, and who feeds its pool\n"
		    "  hwrngctl top                        watch it, as it happens\n"
		    "  hwrngctl doctor                     what is wrong here, and what to do\n"
		    "  hwrngctl load tpm                   make the TPM a source of the kernel\n"
		    "  hwrngctl select tpm_rng.0           let the kernel use it\n"
		    "  hwrngctl test --source tpm_rng.0    is it healthy?\n"
		    "  hwrngctl bench                      how fast is each source?\n"
		    "  hwrngctl assess --source rdseed     how much entropy does it hold?\n"
		    "  hwrngctl feed --once                test the best source and feed the pool\n"
		    "  hwrngctl check scs                  does it meet SCS 0101, Entropy?\n"
		    "  hwrngctl check openstack            do a cloud's flavors and images?\n"
		    "Exit codes: 0 done, 1 check failed, 2 usage, 3 no source, 4 not permitted,\n"
		    "5 input or output error, 69 a needed service is unavailable. See hwrngctl(8).");
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
	// A reader that goes away must not kill us before rng_current is put back.
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
	// Memory or threads ran out. Unwinding has put back what was changed.
	std::fputs("hwrngctl: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
