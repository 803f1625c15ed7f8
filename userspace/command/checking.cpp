// SPDX-License-Identifier: GPL-2.0-or-later
// The options of `check`, which compares a machine or a cloud with a standard.
#include "command/command_line.h"

namespace hwrngd {

namespace {

void add_scs(CLI::App &check, Run &run)
{
	const auto profile = std::make_shared<std::string>("v1.1");
	auto &scs = *check.add_subcommand(
	    "scs", "Check this machine against standard 0101 (Entropy) of the Sovereign Cloud Stack");
	scs.add_option("--profile", *profile, "The version of the standard; v1.1 is of June 2026")
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
	    "Check the flavors and images of an OpenStack cloud against standard 0101, and whether "
	    "its servers get an RNG");
	cloud.add_flag("-a,--all", options->all, "Also list those without findings");
	cloud
	    .add_option(
	        "--os-cloud", options->cloud,
	        "Use this cloud of clouds.yaml; default: OS_CLOUD, the other OS_* variables, or "
	        "the only one in clouds.yaml")
	    ->type_name("NAME");
	cloud
	    .add_option(
	        "--os-region-name", options->region,
	        "Use this region; default: that of clouds.yaml, OS_REGION_NAME, or the first one "
	        "in the catalog")
	    ->type_name("REGION");
	cloud
	    .add_option("--os-interface", options->interface,
	                "Use these endpoints of the catalog; default: public")
	    ->check(CLI::IsMember({"public", "internal", "admin"}));
	cloud
	    .add_option("--os-cacert", options->ca_file,
	                "Trust these certificate authorities (PEM); default: those of the system")
	    ->type_name("FILE");
	cloud.add_flag("--insecure", options->insecure, "Do not verify certificates");
	cloud.add_option("--timeout", options->timeout, "Seconds for each request, 1 to 3600")
	    ->type_name("SECONDS")
	    ->check(in_range(1U, most_timeout))
	    ->default_str("30");
	on_call(cloud, run, options, check_openstack_command);
	cloud.footer(
	    examples("hwrngctl check openstack --os-cloud mine\n  "
	             "hwrngctl check openstack --output=json | jq -r '.images[].remedy // empty'"));
}

} // namespace

void add_check(CLI::App &app, Run &run)
{
	auto &check = *app.add_subcommand("check", "Check this machine or a cloud against a standard");
	check.require_subcommand(1);
	add_scs(check, run);
	add_openstack(check, run);
}

} // namespace hwrngd
