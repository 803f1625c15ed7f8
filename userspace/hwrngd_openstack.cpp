// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd-openstack: the program behind `hwrngctl check openstack`. It lists a cloud's flavors and
// images, and says which of them the Sovereign Cloud Stack's standard 0101 v1 (Entropy) warns
// about, and which of them really leave a server without a random number generator.
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

/// A flavor or an image, and the verdict on it.
struct Row {
	std::string id;
	std::string name;
	std::string visibility; ///< public, private, ...
	HwRng rng;
	std::string status = {}; ///< of an image; empty for a flavor
	bool hidden = false;
};

/// The visibility, and anything unusual about an image.
std::string kind(const Row &row)
{
	return row.visibility + (row.hidden ? ", hidden" : "") +
	       (row.status.empty() || row.status == "active" ? "" : ", " + row.status);
}

struct Counts {
	size_t warnings = 0; ///< the attribute is not spelled as in the standard
	size_t without = 0;  ///< a server gets no RNG
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

/// Prints the rows with a warning or without an RNG, or all rows.
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

/// The flavors and images of a cloud, and the verdict on them.
struct Findings {
	std::string cloud;
	std::string url;
	std::string region = {};
	std::string project = {};
	std::optional<unsigned> nova = {}; ///< microversion, as 93 for "2.93"
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

	/// Does this user see at least one flavor or image that can be judged?
	[[nodiscard]] bool judged() const { return flavors.size() + images.size() > counts().unknown; }

	[[nodiscard]] ExitCode verdict() const
	{
		return judged() && counts().without == 0 ? ExitCode::done : ExitCode::check_failed;
	}
};

/// Lists all flavors and images, and shows the progress on a terminal.
Result<void> collect(OpenStack &stack, Findings &findings)
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

/// Logs in to the chosen cloud, and judges it.
Result<Findings> judge_cloud(const OpenStackArguments &arguments)
{
	const auto cloud = find_cloud(cloud_places(), arguments.cloud);
	if (!cloud)
		return std::unexpected(cloud.error());
	if (!cloud->verify)
		fmt::print(stderr,
		           "hwrngctl: cloud {}: certificates are not verified, so anyone on the "
		           "network path can read its password\n",
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
	if (const auto collected = collect(*stack, findings); !collected)
		return std::unexpected(collected.error());
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
	const char *verdict = "some give a server no RNG";
	if (!findings.judged())
		verdict = "this user sees nothing that can be judged; an admin does";
	else if (counts.without == 0)
		verdict = "everything that is shown gives a server an RNG";
	fmt::print("{}: {}\n", findings.verdict() == ExitCode::done ? "Passed" : "FAILED", verdict);
	if (counts.warnings > 0)
		fmt::print(
		    "Taken literally, v1 (`hw_rng:allowed=True`, `hw_rng_model: virtio`) warns about {}; "
		    "v1.1 of June 2026 requires nothing of flavors and images. `--output=json` prints a "
		    "command for each.\n",
		    counts.warnings);
}

Result<ExitCode> check(const OpenStackArguments &arguments)
{
	const auto findings = judge_cloud(arguments);
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
	// The libraries for HTTP, YAML and JSON hold copies of secrets that cannot be wiped. They end
	// with this process, and this keeps them out of core files.
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return static_cast<int>(
		    report(fail_errno(errno, "PR_SET_DUMPABLE").error(), arguments->json));
	const auto caught = catch_interrupts();
	auto result = caught ? check(*arguments) : std::unexpected(caught.error());
	if (!result) // the message may contain text from a server
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
