// SPDX-License-Identifier: GPL-2.0-or-later
// Runs hwrngctl as users do, on a tree made of files.
#pragma once

#include "fake_tree.h"
#include "paths.h"

#include <sys/wait.h>

#include <cstdlib>
#include <string>

namespace hwrngd::test {

struct Ran {
	int code = -1;
	std::string out;
	std::string err;
};

inline Ran run(const FakeTree &tree, const std::string &arguments, const std::string &after = "")
{
	const auto out = tree.at("/stdout").string();
	const auto err = tree.at("/stderr").string();
	const auto command = std::string(hwrngctl_path) + " --root=" + tree.at("/").string() + " " +
	                     arguments + " >" + (after.empty() ? out : after) + " 2>" + err +
	                     " </dev/null";
	const int status = std::system(command.c_str()); // NOLINT: the shell redirects
	Ran ran{WIFEXITED(status) ? WEXITSTATUS(status) : -1, tree.text("/stdout"),
	        tree.text("/stderr")};
	return ran;
}

} // namespace hwrngd::test
