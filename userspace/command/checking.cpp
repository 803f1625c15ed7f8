// SPDX-License-Identifier: GPL-2.0-or-later
// The options of `check`, which holds a machine or a cloud against a standard.
#include "command/command_line.h"

namespace hwrngd {

namespace {

void add_scs(CLI::App &check, Run &run)
{
	const auto profile = std::make_shared<std::string>("v1.1");
	auto &scs = *check.add_subcommand("scs", "Sovereign Cloud Stack 0101, Entropy");
	scs.add_option("--profile", *profile, "Its version: v1, or v1.1 of June 2026")
	    ->check(CLI::IsMember({"v1", "v1.1"}))
	    ->default_str("v1.1");
	on_call(scs, run, profile, check_scs_command);
	scs.footer(examples("hwrngctl check scs --profile v1 >report.md"));
}

void add_openstack(CLI::App &check, Run &run)
{
	constexpr unsigned most_timeout = 3600;
	const auto options = std::make_shared<OpenStackOptions>();
	auto &cloud = *check.add_subcommand(
	    "openstack",
	    "A cloud's flavors and images: have its servers an RNG, and does 0101 say so?");
	cloud.add_flag("-a,--all", options->all, "Show those too of which there is nothing to say");
	cloud
	    .add_option("--os-cloud", options->cloud,
	                "A cloud of clouds.yaml; default: OS_CLOUD, the other OS_* variables, or the "
	                "only one there")
	    ->type_name("NAME");
	cloud
	    .add_option("--os-region-name", options->region,
	                "Default: that of clouds.yaml, OS_REGION_NAME, or the catalog's first")
	    ->type_name("NAME");
	cloud.add_option("--os-interface", options->interface, "Which endpoints; default: public")
	    ->check(CLI::IsMember({"public", "internal", "admin"}));
	cloud
	    .add_option("--os-cacert", options->ca_file,
	                "Certificates of authorities (PEM); default: the system's")
	    ->type_name("FILE");
	cloud.add_flag("--insecure", options->insecure, "Verify no certificate");
	cloud.add_option("--timeout", options->timeout, "Seconds for each request")
	    ->check(CLI::Range(1U, most_timeout))
	    ->default_str("30");
	on_call(cloud, run, options, check_openstack_command);
	cloud.footer(
	    examples("hwrngctl check openstack --os-cloud mine\n  "
	             "hwrngctl check openstack --output=json | jq -r '.images[].remedy // empty'"));
}

} // namespace

void add_check(CLI::App &app, Run &run)
{
	auto &check =
	    *app.add_subcommand("check", "Check this machine, or a cloud, against a standard");
	check.require_subcommand(1);
	add_scs(check, run);
	add_openstack(check, run);
}

} // namespace hwrngd
