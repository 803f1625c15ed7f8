// SPDX-License-Identifier: GPL-2.0-or-later
// `check openstack` runs hwrngd-openstack. This program has its own package, because it needs
// libraries for HTTP and YAML that the other commands do not need.
#include "cloud/openstack_arguments.h"
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
	const OpenStackArguments arguments{.json = context.json,
	                                   .all = options.all,
	                                   .cloud = {.cloud = options.cloud,
	                                             .region = options.region,
	                                             .interface = options.interface,
	                                             .ca_file = options.ca_file,
	                                             .insecure = options.insecure},
	                                   .timeout = options.timeout};
	auto words = arguments.to_words();
	words.insert(words.begin(), program.string());
	std::vector<char *> argv;
	argv.reserve(words.size() + 1);
	for (auto &word : words)
		argv.push_back(word.data());
	argv.push_back(nullptr);
	execv(program.c_str(), argv.data());
	if (errno == ENOENT)
		return fail(ExitCode::unavailable, "`check openstack` needs another package: "
		                                   "apt-get install hwrngd-openstack");
	return fail_errno(errno, program.string());
}

} // namespace hwrngd
