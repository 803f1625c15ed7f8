// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of hwrngctl: each add_* function adds one command with its options and examples
// to `app`. If the user calls that command, `run` is set to it.
#pragma once

#include "base/error.h"
#include "command/command.h"

#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace hwrngd {

/// The command to run, bound to its options.
using Run = std::function<Result<ExitCode>(const Context &)>;

/// The text below a command's options.
inline std::string examples(const std::string &lines)
{
	return "Examples:\n  " + lines;
}

/// If the command line calls `app`, sets `run` to `command` with the options from the line.
template <typename Options, typename Command>
void on_call(CLI::App &app, Run &run, std::shared_ptr<Options> options, Command command)
{
	app.callback([&run, options = std::move(options), command = std::move(command)] {
		run = [options, command](const Context &context) { return command(context, *options); };
	});
}

/// A check that a number is in a range. Without CLI11's description, which help would show.
template <typename Number> CLI::Validator in_range(Number least, Number most)
{
	return CLI::Range(least, most).description("");
}

/// A check to run before in_range(), which accepts NaN.
[[nodiscard]] std::string check_number(const std::string &text);

// command/looking.cpp
void add_status(CLI::App &app, Run &run);
void add_list(CLI::App &app, Run &run);
void add_top(CLI::App &app, Run &run);
void add_doctor(CLI::App &app, Run &run);
void add_metrics(CLI::App &app, Run &run);
void add_policy(CLI::App &app, Run &run);
// command/changing.cpp
void add_select(CLI::App &app, Run &run);
void add_load(CLI::App &app, Run &run);
void add_unload(CLI::App &app, Run &run);
// command/testing.cpp
void add_test(CLI::App &app, Run &run);
void add_bench(CLI::App &app, Run &run);
void add_assess(CLI::App &app, Run &run);
void add_feed(CLI::App &app, Run &run);
// command/checking.cpp
void add_check(CLI::App &app, Run &run);
// command/ssh.cpp
void add_ssh_serve(CLI::App &app, Run &run);
void add_ssh_setup(CLI::App &app, Run &run);

} // namespace hwrngd
