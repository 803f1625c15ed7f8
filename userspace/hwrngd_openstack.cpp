// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd-openstack: `hwrngctl check openstack`, which starts it. Asks a cloud for its flavors and
// images, and says which of them the Sovereign Cloud Stack's standard 0101 v1 (Entropy) warns of,
// and which really give a server no random number generator.
#include "base/interrupt.h"
#include "cloud/clouds.h"
#include "cloud/http.h"
#include "cloud/hw_rng.h"
#include "cloud/openstack.h"
#include "cloud/openstack_arguments.h"
#include "command/output.h"
#include "command/progress.h"

#include <sys/prctl.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using nlohmann::ordered_json;

const char *name(Effect effect)
{
	switch (effect) {
	case Effect::yes:
		return "RNG";
	case Effect::no:
		return "NO RNG";
	case Effect::unknown:
		break;
	}
	return "unknown";
}

const char *name_for_programs(Effect effect)
{
	switch (effect) {
	case Effect::yes:
		return "rng";
	case Effect::no:
		return "no_rng";
	case Effect::unknown:
		break;
	}
	return "unknown";
}

/// A flavor or an image, and what is to be said of it.
struct Row {
	std::string id;
	std::string name;
	std::string visibility; ///< public, private, ...
	HwRng rng;
	std::string status = {}; ///< of an image; empty: a flavor
	bool hidden = false;
};

/// Its visibility, and what is unusual of an image.
std::string kind(const Row &row)
{
	return row.visibility + (row.hidden ? ", hidden" : "") +
	       (row.status.empty() || row.status == "active" ? "" : ", " + row.status);
}

struct Counts {
	size_t warnings = 0; ///< without the attribute as the standard spells it
	size_t without = 0;
	size_t unknown = 0;
};

Counts count(const std::vector<Row> &rows)
{
	Counts counts;
	for (const auto &row : rows) {
		counts.warnings += row.rng.literal ? 0 : 1;
		counts.without += row.rng.effect == Effect::no ? 1 : 0;
		counts.unknown += row.rng.effect == Effect::unknown ? 1 : 0;
	}
	return counts;
}

ordered_json to_json(const Row &row)
{
	ordered_json document{{"id", row.id},
	                      {"name", row.name},
	                      {"visibility", row.visibility},
	                      {"found", row.rng.found},
	                      {"literal", row.rng.literal ? "ok" : "warning"},
	                      {"effective", name_for_programs(row.rng.effect)}};
	if (!row.status.empty()) {
		document["status"] = row.status;
		document["hidden"] = row.hidden;
	}
	if (!row.rng.why.empty())
		document["why"] = row.rng.why;
	if (!row.rng.remedy.empty())
		document["remedy"] = row.rng.remedy;
	return document;
}

/// Those that something is to be said of, or all.
void print_rows(const std::string &what, const std::string &attribute, const std::vector<Row> &rows,
                bool all)
{
	std::vector<std::vector<std::string>> table{
	    {what, "Visibility", attribute, "SCS 0101 v1", "A server gets", "Because"}};
	for (const auto &row : rows)
		if (all || !row.rng.literal || row.rng.effect != Effect::yes)
			table.push_back({row.name.empty() ? row.id : row.name, kind(row), row.rng.found,
			                 row.rng.literal ? "ok" : "warning", name(row.rng.effect),
			                 row.rng.why});
	if (table.size() > 1) {
		print_table(std::move(table));
		fmt::print("\n");
	}
}

void print_sum(const std::string &what, const std::vector<Row> &rows)
{
	const auto counts = count(rows);
	fmt::print("{}: {} of v1, {} no RNG{}\n", counted(rows.size(), what),
	           counted(counts.warnings, "warning"),
	           fmt::format("{} {}", counts.without, counts.without == 1 ? "gives" : "give"),
	           counts.unknown == 0 ? ""
	                               : fmt::format(", {} not shown to this user", counts.unknown));
}

/// What a cloud has, and how it is to be judged.
struct Findings {
	std::string cloud;
	std::string url;
	std::string region = {};
	std::string project = {};
	std::optional<unsigned> nova = {}; ///< microversion, as 93 of "2.93"
	std::vector<Row> flavors = {};
	std::vector<Row> images = {};

	[[nodiscard]] std::string version() const { return nova ? fmt::format("2.{}", *nova) : ""; }

	[[nodiscard]] Counts counts() const
	{
		const auto of_flavors = count(flavors);
		const auto of_images = count(images);
		return {.warnings = of_flavors.warnings + of_images.warnings,
		        .without = of_flavors.without + of_images.without,
		        .unknown = of_flavors.unknown + of_images.unknown};
	}

	/// There is something that this user is shown enough of.
	[[nodiscard]] bool judged() const { return flavors.size() + images.size() > counts().unknown; }

	[[nodiscard]] ExitCode verdict() const
	{
		return judged() && counts().without == 0 ? ExitCode::done : ExitCode::check_failed;
	}
};

/// Asks for all flavors and images, and says on a terminal how far that is.
Result<void> look_at(OpenStack &stack, Findings &findings)
{
	Progress progress("Cloud " + findings.cloud);
	const auto found = [&](const std::string &text) { progress.update(text); };
	const auto microversion = stack.compute_microversion();
	if (!microversion)
		return std::unexpected(microversion.error());
	const auto nova = *microversion;
	findings.nova = nova;
	const auto flavors = stack.flavors(found);
	if (!flavors)
		return std::unexpected(flavors.error());
	for (const auto &flavor : *flavors)
		findings.flavors.push_back({flavor.id, flavor.name, flavor.is_public ? "public" : "private",
		                            hw_rng_of(flavor, nova)});
	const auto images = stack.images(found);
	if (!images)
		return std::unexpected(images.error());
	for (const auto &image : *images)
		findings.images.push_back({image.id, image.name, image.visibility, hw_rng_of(image, nova),
		                           image.status, image.hidden});
	return {};
}

/// Logs in to the cloud that is meant, and looks at it.
Result<Findings> ask_cloud(const OpenStackArguments &arguments)
{
	const auto cloud = find_cloud(cloud_places(), arguments.cloud);
	if (!cloud)
		return std::unexpected(cloud.error());
	if (!cloud->verify)
		fmt::print(stderr,
		           "hwrngctl: cloud {}: certificates are not verified, so anybody on the way "
		           "can read its password\n",
		           cloud->name);
	Http http({.ca_file = cloud->ca_file,
	           .certificate = cloud->certificate,
	           .key = cloud->key,
	           .verify = cloud->verify,
	           .timeout = std::chrono::seconds(arguments.timeout)});
	auto stack = OpenStack::log_in(*cloud, http);
	if (!stack)
		return std::unexpected(stack.error());
	Findings findings{.cloud = cloud->name, .url = cloud->find("auth_url").value_or("")};
	if (const auto looked = look_at(*stack, findings); !looked)
		return std::unexpected(looked.error());
	findings.region = stack->region();
	findings.project = stack->project();
	return findings;
}

ordered_json to_json(const std::vector<Row> &rows)
{
	auto array = ordered_json::array();
	for (const auto &row : rows)
		array.push_back(to_json(row));
	return array;
}

void print_for_programs(const Findings &findings)
{
	const auto counts = findings.counts();
	print_json({{"standard", "SCS 0101"},
	            {"profile", "v1"},
	            {"cloud", findings.cloud},
	            {"auth_url", findings.url},
	            {"region", findings.region},
	            {"project", findings.project},
	            {"compute_microversion", findings.version()},
	            {"warnings", counts.warnings},
	            {"without_rng", counts.without},
	            {"unknown", counts.unknown},
	            {"flavors", to_json(findings.flavors)},
	            {"images", to_json(findings.images)}});
}

void print_for_people(const Findings &findings, bool all)
{
	const auto counts = findings.counts();
	const auto version = findings.version();
	fmt::print("SCS 0101 (Entropy) v1: flavors and images of cloud {}\n", findings.cloud);
	fmt::print("{}{}{}{}\n\n", findings.url,
	           findings.region.empty() ? "" : ", region " + for_terminal(findings.region),
	           findings.project.empty() ? "" : ", project " + for_terminal(findings.project),
	           version.empty() ? "" : ", compute API " + version);
	print_rows("Flavor", "hw_rng:allowed", findings.flavors, all);
	print_rows("Image", "hw_rng_model", findings.images, all);
	print_sum("flavor", findings.flavors);
	print_sum("image", findings.images);
	fmt::print("{}: {}\n", findings.verdict() == ExitCode::done ? "Passed" : "FAILED",
	           !findings.judged() ? "this user is shown nothing that could be judged; an admin is"
	           : counts.without == 0 ? "all that is shown gives a server an RNG"
	                                 : "servers of some have no RNG");
	if (counts.warnings > 0)
		fmt::print(
		    "By the letter, v1 (`hw_rng:allowed=True`, `hw_rng_model: virtio`) warns of {}; v1.1 "
		    "of June 2026 asks nothing of flavors and images. `--output=json` has a command for "
		    "each.\n",
		    counts.warnings);
}

Result<ExitCode> check(const OpenStackArguments &arguments)
{
	const auto findings = ask_cloud(arguments);
	if (!findings)
		return std::unexpected(findings.error());
	if (arguments.json)
		print_for_programs(*findings);
	else
		print_for_people(*findings, arguments.all);
	return findings->verdict();
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	std::signal(SIGPIPE, SIG_IGN);
	const auto words = std::span(argv, static_cast<size_t>(argc)).subspan(argc > 0 ? 1 : 0);
	const auto arguments =
	    OpenStackArguments::from_words(std::vector<std::string>(words.begin(), words.end()));
	if (!arguments)
		return static_cast<int>(report(arguments.error(), false));
	// Libraries for HTTP, YAML and JSON have copies of secrets that nobody can wipe: they end with
	// this process, and no core file has them.
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return static_cast<int>(
		    report(fail_errno(errno, "PR_SET_DUMPABLE").error(), arguments->json));
	const auto caught = catch_interrupts();
	auto result = caught ? check(*arguments) : std::unexpected(caught.error());
	if (!result) // which may have what a server said
		result.error().message = for_terminal(std::move(result.error().message));
	const ExitCode code = flush_output(result ? *result : report(result.error(), arguments->json));
	if (code == ExitCode::interrupted)
		die_of_interrupt();
	return static_cast<int>(code);
} catch (const std::exception &error) {
	std::fputs("hwrngctl: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
