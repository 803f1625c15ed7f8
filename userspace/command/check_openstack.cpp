// SPDX-License-Identifier: GPL-2.0-or-later
// `check openstack` is a program of its own, hwrngd-openstack, in a package of its own: it needs
// libraries for HTTP and YAML that a machine with a random number generator does not.
#include "command/command.h"
#include "control/programs.h"

#include <unistd.h>

#include <string>
#include <vector>

namespace hwrngd {

Result<ExitCode> check_openstack_command(const Context &context, const OpenStackOptions &options)
{
	const auto here = own_folder();
	if (!here)
		return std::unexpected(here.error());
	const auto program = hidden_program(*here, "hwrngd-openstack");
	// main() of hwrngd_openstack.cpp has the same list.
	std::vector<std::string> words{program.string(),
	                               context.json ? "json" : "text",
	                               options.all ? "all" : "wanting",
	                               options.cloud,
	                               options.region,
	                               options.interface,
	                               options.ca_file,
	                               options.insecure ? "insecure" : "verify",
	                               std::to_string(options.timeout)};
	std::vector<char *> argv;
	argv.reserve(words.size() + 1);
	for (auto &word : words)
		argv.push_back(word.data());
	argv.push_back(nullptr);
	execv(program.c_str(), argv.data());
	if (errno == ENOENT)
		return fail(ExitCode::unavailable, "what asks a cloud is in a package of its own: "
		                                   "apt-get install hwrngd-openstack");
	return fail_errno(errno, program.string());
}

} // namespace hwrngd
