// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd-openstack: `hwrngctl check openstack`, which starts it. Asks a cloud for its flavors and
// images, and says which of them the Sovereign Cloud Stack's standard 0101 v1 (Entropy) warns of,
// and which really give a server no random number generator.
#include "base/interrupt.h"
#include "cloud/clouds.h"
#include "cloud/http.h"
#include "cloud/hw_rng.h"
#include "cloud/openstack.h"
#include "command/output.h"
#include "command/progress.h"

#include <sys/prctl.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using nlohmann::ordered_json;

/// How it is called, by command/check_openstack.cpp.
struct Words {
	bool json = false;
	bool all = false;
	CloudOptions cloud;
	std::chrono::seconds timeout{0};
};

Result<Words> parse(std::span<char *const> given)
{
	const std::vector<std::string> words(given.begin(), given.end());
	unsigned seconds = 0;
	if (words.size() == 8)
		std::from_chars(words[7].data(), words[7].data() + words[7].size(), seconds);
	if (seconds == 0)
		return fail(ExitCode::usage, "hwrngd-openstack is started by `hwrngctl check openstack`");
	return Words{.json = words[0] == "json",
	             .all = words[1] == "all",
	             .cloud = {.cloud = words[2],
	                       .region = words[3],
	                       .interface = words[4],
	                       .ca_file = words[5],
	                       .insecure = words[6] == "insecure"},
	             .timeout = std::chrono::seconds(seconds)};
}

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

Result<ExitCode> check(const Words &words)
{
	const auto cloud = find_cloud(cloud_places(), words.cloud);
	if (!cloud)
		return std::unexpected(cloud.error());
	const auto url = cloud->find("auth_url").value_or("");
	if (!cloud->verify)
		fmt::print(stderr,
		           "hwrngctl: cloud {}: certificates are not verified, so anybody on the way "
		           "can read its password\n",
		           cloud->name);
	Http http({.ca_file = cloud->ca_file,
	           .certificate = cloud->certificate,
	           .key = cloud->key,
	           .verify = cloud->verify,
	           .timeout = words.timeout});
	auto stack = OpenStack::log_in(*cloud, http);
	if (!stack)
		return std::unexpected(stack.error());
	std::vector<Row> flavors;
	std::vector<Row> images;
	std::optional<unsigned> nova;
	{
		Progress progress("Cloud " + cloud->name);
		const auto found = [&](const std::string &text) { progress.update(text); };
		const auto microversion = stack->compute_microversion();
		if (!microversion)
			return std::unexpected(microversion.error());
		nova = *microversion;
		const auto all_flavors = stack->flavors(found);
		if (!all_flavors)
			return std::unexpected(all_flavors.error());
		for (const auto &flavor : *all_flavors)
			flavors.push_back({flavor.id, flavor.name, flavor.is_public ? "public" : "private",
			                   hw_rng_of(flavor, nova)});
		const auto all_images = stack->images(found);
		if (!all_images)
			return std::unexpected(all_images.error());
		for (const auto &image : *all_images)
			images.push_back({image.id, image.name, image.visibility, hw_rng_of(image, nova),
			                  image.status, image.hidden});
	}
	const auto of_flavors = count(flavors);
	const auto of_images = count(images);
	const auto without = of_flavors.without + of_images.without;
	const auto warnings = of_flavors.warnings + of_images.warnings;
	const auto unknown = of_flavors.unknown + of_images.unknown;
	const bool judged = flavors.size() + images.size() > unknown;
	const auto verdict = judged && without == 0 ? ExitCode::done : ExitCode::check_failed;
	const std::string version = nova ? fmt::format("2.{}", *nova) : "";
	if (words.json) {
		const auto list = [](const std::vector<Row> &rows) {
			auto array = ordered_json::array();
			for (const auto &row : rows)
				array.push_back(to_json(row));
			return array;
		};
		print_json({{"standard", "SCS 0101"},
		            {"profile", "v1"},
		            {"cloud", cloud->name},
		            {"auth_url", url},
		            {"region", stack->region()},
		            {"project", stack->project()},
		            {"compute_microversion", version},
		            {"warnings", warnings},
		            {"without_rng", without},
		            {"unknown", unknown},
		            {"flavors", list(flavors)},
		            {"images", list(images)}});
		return verdict;
	}
	fmt::print("SCS 0101 (Entropy) v1: flavors and images of cloud {}\n", cloud->name);
	fmt::print("{}{}{}{}\n\n", url,
	           stack->region().empty() ? "" : ", region " + for_terminal(stack->region()),
	           stack->project().empty() ? "" : ", project " + for_terminal(stack->project()),
	           version.empty() ? "" : ", compute API " + version);
	print_rows("Flavor", "hw_rng:allowed", flavors, words.all);
	print_rows("Image", "hw_rng_model", images, words.all);
	print_sum("flavor", flavors);
	print_sum("image", images);
	fmt::print("{}: {}\n", verdict == ExitCode::done ? "Passed" : "FAILED",
	           !judged        ? "this user is shown nothing that could be judged; an admin is"
	           : without == 0 ? "all that is shown gives a server an RNG"
	                          : "servers of some have no RNG");
	if (warnings > 0)
		fmt::print(
		    "By the letter, v1 (`hw_rng:allowed=True`, `hw_rng_model: virtio`) warns of {}; v1.1 "
		    "of June 2026 asks nothing of flavors and images. `--output=json` has a command for "
		    "each.\n",
		    warnings);
	return verdict;
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	std::signal(SIGPIPE, SIG_IGN);
	const auto words = parse(std::span(argv, static_cast<size_t>(argc)).subspan(argc > 0 ? 1 : 0));
	if (!words)
		return static_cast<int>(report(words.error(), false));
	// Libraries for HTTP, YAML and JSON have copies of secrets that nobody can wipe: they end with
	// this process, and no core file has them.
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return static_cast<int>(report(fail_errno(errno, "PR_SET_DUMPABLE").error(), words->json));
	const auto caught = catch_interrupts();
	auto result = caught ? check(*words) : std::unexpected(caught.error());
	if (!result) // which may have what a server said
		result.error().message = for_terminal(std::move(result.error().message));
	const ExitCode code = flush_output(result ? *result : report(result.error(), words->json));
	if (code == ExitCode::interrupted)
		die_of_interrupt();
	return static_cast<int>(code);
} catch (const std::exception &error) {
	std::fputs("hwrngctl: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
