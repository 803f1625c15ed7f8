// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of hwrngctl, command by command: each function adds one to what it is given,
// with its options and examples, and has `run` do it if it is the one that was asked for.
#pragma once

#include "base/error.h"
#include "command/command.h"

#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace hwrngd {

/// The command that was asked for, with its options.
using Run = std::function<Result<ExitCode>(const Context &)>;

/// Below a command's options.
inline std::string examples(const std::string &lines)
{
	return "Examples:\n  " + lines;
}

/// When `app` is asked for, `run` becomes `command` with the options that the line gave it.
template <typename Options, typename Command>
void on_call(CLI::App &app, Run &run, std::shared_ptr<Options> options, Command command)
{
	app.callback([&run, options = std::move(options), command = std::move(command)] {
		run = [options, command](const Context &context) { return command(context, *options); };
	});
}

/// To be asked before CLI::Range, for which NaN is in every range.
[[nodiscard]] std::string no_number(const std::string &text);

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
