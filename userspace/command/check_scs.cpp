// SPDX-License-Identifier: GPL-2.0-or-later
// `check scs`: checks this machine against standard 0101 (Entropy) of the Sovereign Cloud Stack.
// The items are those of the standard's supplement on testing.
#include "base/interrupt.h"
#include "base/json_object.h"
#include "base/program.h"
#include "command/command.h"
#include "command/output.h"
#include "command/sample.h"
#include "control/inventory.h"
#include "doctor/facts.h"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

constexpr uint64_t tested_blocks = 1000;
// The bits required of an old pool of 4096 bits, before the standard demanded exactly 256.
constexpr unsigned old_level = 1000;

enum class Verdict { ok, warning, error };

const char *name(Verdict verdict)
{
	switch (verdict) {
	case Verdict::ok:
		return "ok";
	case Verdict::warning:
		return "warning";
	case Verdict::error:
		break;
	}
	return "ERROR";
}

/// One item of the standard, and whether this machine meets it.
struct Item {
	const char *id;
	const char *clause; ///< the requirement
	Verdict verdict = Verdict::ok;
	std::string found;
	std::string remedy = {}; ///< empty if nothing needs to be done
};

/// How many of 1000 blocks may fail.
struct Limits {
	uint64_t warning; ///< more failures are a warning
	uint64_t error;   ///< more failures are an error
};

/// Clause "Images", which only v1 has.
Result<Item> check_service()
{
	constexpr std::chrono::seconds limit{20};
	Item item{.id = "rngd", .clause = "the service rngd is running (v1, Errors)", .found = {}};
	std::vector<uint8_t> out(4096);
	const std::vector<std::string> words{"systemctl", "show", "--property=Id,ActiveState",
	                                     "rngd.service"};
	const auto answer = ask_program("systemctl", words, out, limit);
	if (!answer && answer.error().code == ExitCode::interrupted)
		return std::unexpected(answer.error());
	const std::string text(out.begin(),
	                       out.begin() + static_cast<ptrdiff_t>(answer ? answer->size : 0));
	const auto value = [&](const std::string &key) {
		const auto begin = text.find(key);
		if (begin == std::string::npos)
			return std::string();
		const auto line = text.substr(begin + key.size());
		return line.substr(0, line.find('\n'));
	};
	const auto state = value("ActiveState=");
	if (!answer)
		item.found = answer.error().message;
	else if (state.empty())
		item.found = fmt::format("systemctl reported no state: {}",
		                         answer->complaint.substr(0, answer->complaint.find('\n')));
	else
		item.found = fmt::format("{} is {}", value("Id="), state);
	if (state != "active" && state != "reloading") {
		item.verdict = Verdict::error;
		item.remedy = "systemctl enable --now hwrngd (rngd.service is its other name)";
	}
	return item;
}

Item check_pool(const Inventory &inventory)
{
	Item item{.id = "entropy_avail",
	          .clause = "/proc/sys/kernel/random/entropy_avail is 256 (Errors)",
	          .found = {}};
	if (!inventory.entropy_available) {
		item.verdict = Verdict::error;
		item.found = "cannot be read";
		item.remedy = "run `hwrngctl check scs` on the machine itself, not in a container";
		return item;
	}
	const auto bits = *inventory.entropy_available;
	item.found = inventory.pool_size ? fmt::format("{} of {} bits", bits, *inventory.pool_size)
	                                 : fmt::format("{} bits", bits);
	if (inventory.new_random_device()) {
		if (bits == inventory.pool_size)
			return item;
		item.verdict = Verdict::error;
		item.remedy = "run `hwrngctl feed --once` now, and hwrngd at every boot";
		return item;
	}
	item.verdict = bits >= old_level ? Verdict::warning : Verdict::error;
	item.found +=
	    fmt::format("; this kernel is older than 5.18: its pool needs {} or more, and 256 "
	                "means nothing",
	                old_level);
	item.remedy =
	    bits >= old_level
	        ? "use a kernel of 5.18 or later"
	        : "use a kernel of 5.18 or later; until then run hwrngd, which feeds the pool";
	return item;
}

/// The number of blocks that failed, or none if a signal ended the test.
Result<std::optional<uint64_t>> failed_blocks(const Root &root)
{
	const std::string title = "/dev/random";
	auto source = open_device(root.at(title).string(), fips140_2::block_bytes);
	if (!source)
		return std::unexpected(source.error());
	const auto sample = test_blocks(
	    **source, {.blocks = tested_blocks, .blocks_a_read = 1, .title = title}, [](auto, auto) {});
	if (!sample)
		return std::unexpected(sample.error());
	if (sample->fips.blocks == tested_blocks)
		return sample->fips.failures;
	if (interrupted() != 0)
		return std::nullopt;
	return fail(ExitCode::io_error,
	            fmt::format("{} ends after {} blocks", title, sample->fips.blocks));
}

/// Tests a second time before it reports a warning or an error: in one of 75 runs, even a perfect
/// source has more than 3 failures.
Result<Item> check_fips(const Root &root, const Limits &limits)
{
	Item item{.id = "fips",
	          .clause =
	              limits.error == limits.warning
	                  ? "no more than 3 of 1000 blocks of /dev/random fail FIPS 140-2 (Errors)"
	                  : "no more than 5 of 1000 blocks of /dev/random fail FIPS 140-2 (Errors), or "
	                    "3 (Warnings)",
	          .found = {}};
	uint64_t least = 0;
	for (const bool again : {false, true}) {
		const auto failed = failed_blocks(root);
		if (!failed && failed.error().code != ExitCode::interrupted) {
			item.verdict = Verdict::error;
			item.found = failed.error().message;
			return item;
		}
		if (!failed || !*failed)
			return fail(ExitCode::interrupted, "");
		const auto now = failed->value_or(0);
		least = again ? std::min(least, now) : now;
		item.found +=
		    fmt::format("{}{} of {}", again ? "; tested again: " : "", now, tested_blocks);
		if (now <= limits.warning)
			break;
	}
	if (least > limits.warning)
		item.verdict = least > limits.error ? Verdict::error : Verdict::warning;
	if (item.verdict != Verdict::ok)
		item.remedy =
		    "a perfect source fails twice in only one of several thousand runs. Run `hwrngctl "
		    "test --source SOURCE` for each source of `hwrngctl list`";
	return item;
}

Item check_kernel(const Inventory &inventory)
{
	Item item{
	    .id = "kernel",
	    .clause =
	        "the kernel is 5.18 or later, or has the random number generator of 5.18 (recommended)",
	    .found = inventory.kernel};
	if (inventory.new_random_device())
		return item;
	item.verdict = Verdict::warning;
	item.remedy = "use a kernel of 5.18 or later, or a stable kernel that has the random number "
	              "generator of 5.18";
	return item;
}

Item check_cpu(const Inventory &inventory, const std::string &hypervisor)
{
	Item item{.id = "cpu",
	          .clause = "the CPU offers RDSEED, RDRAND or RNDR, unfiltered (Compute nodes)",
	          .found = fmt::format("{}", fmt::join(inventory.cpu_instructions, ", "))};
	if (!inventory.cpu_instructions.empty())
		return item;
	item.verdict = Verdict::warning;
	item.found = "none of them";
	item.remedy =
	    hypervisor.empty()
	        ? "use a CPU that has one of them"
	        : "choose a CPU model in the hypervisor that passes them on, such as host-passthrough";
	return item;
}

nlohmann::ordered_json to_json(const Item &item)
{
	const std::string_view verdict = item.verdict == Verdict::error ? "error" : name(item.verdict);
	auto document = json_object(
	    {{"id", item.id}, {"clause", item.clause}, {"verdict", verdict}, {"found", item.found}});
	if (!item.remedy.empty())
		document["remedy"] = item.remedy;
	return document;
}

} // namespace

Result<ExitCode> check_scs_command(const Context &context, const std::string &profile)
{
	const auto inventory = inventory_of(context);
	if (!inventory)
		return std::unexpected(inventory.error());
	const bool first = profile == "v1";
	std::vector<Item> items;
	if (first) {
		auto service = check_service();
		if (!service)
			return std::unexpected(service.error());
		items.push_back(std::move(*service));
	}
	items.push_back(check_pool(*inventory));
	auto fips = check_fips(context.root, first ? Limits{.warning = 3, .error = 3}
	                                           : Limits{.warning = 3, .error = 5});
	if (!fips)
		return std::unexpected(fips.error());
	items.push_back(std::move(*fips));
	items.push_back(check_kernel(*inventory));
	items.push_back(check_cpu(*inventory, hypervisor_of(context.root)));

	const auto errors = std::ranges::count(items, Verdict::error, &Item::verdict);
	const auto warnings = std::ranges::count(items, Verdict::warning, &Item::verdict);
	if (context.json) {
		auto list = nlohmann::ordered_json::array();
		for (const auto &item : items)
			list.push_back(to_json(item));
		print_json(json_object({{"standard", "SCS 0101"},
		                        {"profile", profile},
		                        {"errors", errors},
		                        {"warnings", warnings},
		                        {"items", list}}));
	} else {
		fmt::print("SCS 0101 (Entropy) {}, {}\n\n", profile, inventory->kernel);
		std::vector<std::vector<std::string>> rows{{"Item", "Verdict", "Found"}};
		for (const auto &item : items)
			rows.push_back({item.clause, name(item.verdict), item.found});
		print_table(std::move(rows));
		fmt::print("\n");
		for (const auto &item : items)
			if (!item.remedy.empty())
				fmt::print("{}: {}\n", item.id, item.remedy);
		fmt::print("{}: {}, {}\n", errors == 0 ? "Passed" : "FAILED",
		           counted(static_cast<size_t>(errors), "error"),
		           counted(static_cast<size_t>(warnings), "warning"));
	}
	return errors == 0 ? ExitCode::done : ExitCode::check_failed;
}

} // namespace hwrngd
