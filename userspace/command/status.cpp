// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_object.h"
#include "command/command.h"
#include "command/output.h"
#include "command/source_rows.h"
#include "control/credit.h"
#include "doctor/environment.h"
#include "kernel/probe.h"
#include "status/ask.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;

/// The value, or JSON null.
template <typename T> Json or_null(const std::optional<T> &value)
{
	return value ? Json(*value) : Json(nullptr);
}

/// What entropy_avail means on this kernel.
std::string pool_meaning(const Inventory &inventory)
{
	if (!inventory.entropy_available)
		return "entropy_avail cannot be read here";
	if (!inventory.new_random_device())
		return "before Linux 5.18 it rises and falls; any value is fine";
	if (inventory.crng_ready)
		return "full, as it always is since Linux 5.18";
	return "ready at 256; feed it with `hwrngctl feed --once`";
}

std::string module_text(const ModuleState &module)
{
	if (module.builtin)
		return "built into the kernel";
	if (module.obstacles.empty())
		return fmt::format("not loaded; `hwrngctl load {}` loads it{}",
		                   module.name.substr(0, module.name.find('_')),
		                   module.caution ? ", " + *module.caution : "");
	return fmt::format("not loadable: {}", fmt::join(module.obstacles, "; "));
}

std::string tpm_text(const Tpm &tpm, const Environment &around)
{
	auto text = fmt::format("{} (TPM {}{}{})", tpm.name, tpm.version,
	                        tpm.description.empty() ? "" : ", ", tpm.description);
	if (tpm.hwrng)
		return text + ", a hwrng as " + *tpm.hwrng;
	if (around.module_source("tpm_rng." + tpm.name.substr(3)) != nullptr)
		return text + ", not a hwrng yet (see below)";
	return text + ", not a hwrng yet: `hwrngctl load tpm` makes it one";
}

std::string cpu_text(const Inventory &inventory)
{
	std::vector<std::string> parts;
	if (!inventory.cpu_instructions.empty())
		parts.push_back(fmt::format("{}", fmt::join(inventory.cpu_instructions, ", ")));
	for (const auto &[name, erratum] : inventory.faulty_instructions)
		parts.push_back(fmt::format("{} is not used: {}", name, erratum));
	return parts.empty() ? "no random number instruction (a hypervisor may hide it)"
	                     : fmt::format("{}", fmt::join(parts, "; "));
}

/// A predicate for rows with this health.
auto has_health(const char *health)
{
	return [health](const SourceRow &row) { return row.health == health; };
}

/// The sentence of the verdict about the daemon's sources.
std::string judge_daemon(const std::optional<DaemonStatus> &daemon,
                         const std::vector<SourceRow> &rows)
{
	if (!daemon)
		return "";
	if (const auto failed = std::ranges::find_if(rows, has_health("quarantined"));
	    failed != rows.end())
		return fmt::format(" hwrngd does not use {}, which failed its tests.", failed->name);
	const auto healthy = std::ranges::count_if(rows, has_health("healthy"));
	if (healthy == 0)
		return " hwrngd has no healthy source yet.";
	return fmt::format(" hwrngd has {} healthy source{}.", healthy, healthy == 1 ? "" : "s");
}

/// The verdict, in one line.
std::string judgement(const Inventory &inventory, const Config &config,
                      const std::optional<DaemonStatus> &daemon, const std::vector<SourceRow> &rows)
{
	const bool no_source = std::ranges::all_of(rows, has_health("absent"));
	const auto distrusted = [&](const SourceInfo &source) {
		return !source.absent.empty() ||
		       !why_uncredited(source, config.source(source.name)).empty();
	};
	if (!inventory.crng_ready && no_source)
		return "The CRNG is not ready and no source was found: give this machine one (a "
		       "virtio-rng device, or the TPM in the firmware's set-up).";
	if (!inventory.crng_ready && std::ranges::all_of(inventory.sources, distrusted))
		return "The CRNG is not ready and no source earns credit: give this machine another one, "
		       "or set `credit` for one in hwrngd.conf.";
	if (!inventory.crng_ready)
		return "The CRNG is not ready: `hwrngctl feed --once` feeds it.";
	if (rows.empty() || (no_source && !daemon))
		return "The CRNG is ready. No hardware source was found to refresh it.";
	if (!inventory.hwrng || inventory.hwrng->current.empty())
		return "The CRNG is ready. The kernel uses no hwrng" +
		       (!daemon ? std::string("; the sources above can feed its pool.")
		                : "." + judge_daemon(daemon, rows));
	return fmt::format("The CRNG is ready. The kernel uses {}.{}", inventory.hwrng->current,
	                   judge_daemon(daemon, rows));
}

Json text_or_null(std::string_view text)
{
	return text.empty() ? Json(nullptr) : Json(text);
}

Json source_json(const SourceInfo &source, const SourceConfig &settings)
{
	return json_object({{"name", source.name},
	                    {"kind", name(source.kind)},
	                    {"driver", source.driver},
	                    {"claim", source.claim},
	                    {"credit_bits_per_1000_bytes", credited_bits(1000, source, settings)},
	                    {"current", source.current},
	                    {"absent", text_or_null(source.absent)},
	                    {"distrust", text_or_null(why_uncredited(source, settings))}});
}

Json sources_json(const Inventory &inventory, const Config &config)
{
	Json sources = Json::array();
	for (const auto &source : inventory.sources)
		sources.push_back(source_json(source, config.source(source.name)));
	return sources;
}

Json module_json(const ModuleState &module, const Environment &around)
{
	Json sources = Json::array();
	for (const auto &[name, state, file] : around.module_sources)
		if (name.starts_with(module.name + "."))
			sources.push_back(json_object({{"name", name}, {"state", state}, {"file", file}}));
	return json_object({{"name", module.name},
	                    {"loaded", module.loaded},
	                    {"builtin", module.builtin},
	                    {"path", or_null(module.path)},
	                    {"signer", or_null(module.signer)},
	                    {"loadable", module.obstacles.empty()},
	                    {"obstacles", module.obstacles},
	                    {"caution", or_null(module.caution)},
	                    {"sources", sources}});
}

void print_status_json(const Inventory &inventory, const Config &config, const Environment &around,
                       const std::optional<std::string> &probed_instead,
                       const std::optional<DaemonStatus> &daemon,
                       const std::vector<SourceRow> &rows)
{
	Json tpms = Json::array();
	Json modules = Json::array();
	Json feeders = Json::array();
	Json faulty = Json::array();
	for (const auto &[name, erratum] : inventory.faulty_instructions)
		faulty.push_back(json_object({{"name", name}, {"erratum", erratum}}));
	for (const auto &tpm : inventory.tpms)
		tpms.push_back(json_object({{"name", tpm.name},
		                            {"version", tpm.version},
		                            {"description", tpm.description},
		                            {"resource_manager", tpm.resource_manager},
		                            {"hwrng", or_null(tpm.hwrng)}}));
	for (const auto &module : around.modules)
		modules.push_back(module_json(module, around));
	for (const auto &feeder : around.feeders)
		feeders.push_back(
		    json_object({{"name", feeder.name}, {"pid", feeder.pid}, {"what", feeder.what}}));
	Json hwrng = nullptr;
	if (inventory.hwrng)
		hwrng = json_object(
		    {{"current", inventory.hwrng->current.empty() ? "none" : inventory.hwrng->current},
		     {"available", inventory.hwrng->available},
		     {"selected", inventory.hwrng->selected},
		     {"in_place_of", or_null(probed_instead)},
		     {"quality", or_null(inventory.hwrng->quality)}});
	print_json(json_object({{"kernel", inventory.kernel},
	                        {"architecture", inventory.architecture},
	                        {"config_hw_random_tpm", or_null(around.config_hw_random_tpm)},
	                        {"crng_ready", inventory.crng_ready},
	                        {"entropy_avail", or_null(inventory.entropy_available)},
	                        {"pool_size", or_null(inventory.pool_size)},
	                        {"pool_meaning", pool_meaning(inventory)},
	                        {"hwrng", hwrng},
	                        {"sources", sources_json(inventory, config)},
	                        {"tpms", tpms},
	                        {"cpu_instructions", inventory.cpu_instructions},
	                        {"faulty_instructions", faulty},
	                        {"modules", modules},
	                        {"feeders", feeders},
	                        {"sees_all_processes", around.sees_all_processes},
	                        {"daemon", daemon ? to_json(*daemon) : Json(nullptr)},
	                        {"judgement", judgement(inventory, config, daemon, rows)}}));
}

/// `probed_instead`: the result of hwrng_probe::in_place_of().
void print_hwrng_text(const Inventory &inventory, const std::optional<std::string> &probed_instead)
{
	if (!inventory.hwrng) {
		fmt::print("hwrng       this kernel has no hwrng framework (CONFIG_HW_RANDOM)\n");
		return;
	}
	const auto &state = *inventory.hwrng;
	std::string chosen = "chosen by the kernel";
	if (probed_instead)
		chosen = fmt::format("while it is probed, in place of {}",
		                     probed_instead->empty() ? "none" : for_terminal(*probed_instead));
	else if (state.selected)
		chosen = "chosen by an administrator";
	fmt::print("hwrng       {}, {}{}\n",
	           state.current.empty() ? "none in use" : for_terminal(state.current), chosen,
	           state.quality ? fmt::format(", quality {} of 1024", *state.quality) : "");
}

void print_modules_text(const Environment &around)
{
	std::vector<std::string> loaded;
	for (const auto &module : around.modules)
		if (module.loaded && !module.builtin)
			loaded.push_back(module.name);
		else
			fmt::print("Module      {}: {}\n", module.name, module_text(module));
	if (!loaded.empty())
		fmt::print("Module      {}: loaded\n", fmt::join(loaded, ", "));
}

/// The sources of our modules that serve no data.
void print_module_sources_text(const Inventory &inventory, const Environment &around)
{
	const auto is_listed = [&](const ModuleSource &source) {
		return std::ranges::find(inventory.sources, source.name, &SourceInfo::name) !=
		       inventory.sources.end();
	};
	for (const auto &source : around.module_sources)
		if (source.withdrawn() || !is_listed(source))
			fmt::print("{}\n", for_terminal(why_unregistered(source)));
}

void print_feeders_text(const Environment &around)
{
	if (around.feeders.empty())
		fmt::print("Fed by      {}\n", around.sees_all_processes
		                                   ? "only the kernel itself"
		                                   : "unknown: a container shows only its own processes");
	std::map<std::pair<std::string, std::string>, std::vector<unsigned>> pids;
	for (const auto &feeder : around.feeders)
		pids[{feeder.name, feeder.what}].push_back(feeder.pid);
	for (const auto &[feeder, numbers] : pids)
		fmt::print("Fed by      {} (pid {}): {}\n", feeder.first, fmt::join(numbers, ", "),
		           feeder.second);
}

/// Which sources earn no credit although they claim some, and why.
void print_distrust_text(const Inventory &inventory, const Config &config)
{
	std::map<std::string_view, std::vector<std::string>> distrusted; // by the reason
	for (const auto &source : inventory.sources)
		if (const auto why = why_uncredited(source, config.source(source.name));
		    !why.empty() && source.absent.empty())
			distrusted[why].push_back(source.name);
	for (const auto &[why, names] : distrusted)
		fmt::print("{} earn{} no credit: {}\n",
		           for_terminal(fmt::format("{}", fmt::join(names, ", "))),
		           names.size() == 1 ? "s" : "", for_terminal(std::string(why)));
}

void print_sources_text(const Inventory &inventory, const Config &config)
{
	if (inventory.sources.empty()) {
		fmt::print("No source was found.\n");
		return;
	}
	fmt::print("  {:<18} {:<9} {:<24} {:<12} {}\n", "NAME", "KIND", "DRIVER", "CLAIM/1024",
	           "IN USE");
	for (const auto &source : inventory.sources)
		fmt::print("  {:<18} {:<9} {:<24} {:<12} {}\n", for_terminal(source.name),
		           name(source.kind), source.driver.empty() ? "?" : for_terminal(source.driver),
		           source.claim, source.current ? "by the kernel" : "-");
	for (const auto &source : inventory.sources)
		if (!source.absent.empty())
			fmt::print("{} {}\n", for_terminal(source.name), for_terminal(source.absent));
	print_distrust_text(inventory, config);
}

void print_daemon_text(const Result<std::optional<DaemonStatus>> &answer)
{
	if (!answer) {
		fmt::print("Daemon      hwrngd did not answer; see the error message\n");
		return;
	}
	const auto &status = *answer;
	if (!status) {
		fmt::print("Daemon      hwrngd is not running\n");
		return;
	}
	const DaemonStatus &daemon = *status;
	fmt::print("Daemon      {}\n", for_terminal(in_a_line(daemon)));
	if (daemon.config_error)
		fmt::print("            it keeps its old configuration: {}\n",
		           for_terminal(*daemon.config_error));
	if (const auto &egd = daemon.egd)
		fmt::print(
		    "            EGD: {} clients, {} bytes served, {} available; {} clients refused\n",
		    egd->clients, egd->bytes_served, egd->available, egd->refused);
}

/// The table of sources; then the reason for each source that is not healthy.
void print_rows(const std::vector<SourceRow> &rows)
{
	if (rows.empty()) {
		fmt::print("No source was found.\n");
		return;
	}
	fmt::print("{:<16} {:<9} {:>5}  {:<13} {:<11} {:>8} {:>9}\n", "SOURCE", "KIND", "CLAIM",
	           "USED BY", "HEALTH", "LAST FED", "CREDITED");
	for (const auto &row : rows)
		fmt::print("{:<16} {:<9} {:>5}  {:<13} {:<11} {:>8} {:>9}\n", for_terminal(row.name),
		           for_terminal(row.kind), row.claim, row.used_by, for_terminal(row.health),
		           row.status.last_fed ? ago(*row.status.last_fed) : "-",
		           row.tested() ? fmt::format("{}", row.status.credited_bits) : "-");
	for (const auto &row : rows)
		if (const auto why = row.status.why();
		    !why.empty() && row.health != "healthy" && row.health != "starting")
			fmt::print("{} is {}: {}\n", for_terminal(row.name), for_terminal(row.health),
			           for_terminal(why));
}

} // namespace

Result<ExitCode> status_command(const Context &context)
{
	// ask_daemon() reports a bad configuration; everything else can be shown nevertheless.
	const auto config = read_config(context.root).value_or(Config());
	const auto inventory = take_inventory(context.root, config);
	const auto around = inspect_environment(context.root, inventory);
	const auto answer = ask_daemon(context.root);
	if (!answer)
		fmt::print(stderr, "hwrngctl: {}\n", answer.error().message);
	const auto daemon = answer.value_or(std::nullopt);
	const auto exit_code = answer ? ExitCode::done : answer.error().code;
	const auto rows = source_rows(inventory, daemon);
	const auto probed_instead =
	    inventory.hwrng ? hwrng_probe::in_place_of(context.root, inventory.hwrng->current)
	                    : std::nullopt;
	if (context.json) {
		print_status_json(inventory, config, around, probed_instead, daemon, rows);
		return exit_code;
	}
	fmt::print("Kernel      {} ({})\n", inventory.kernel, inventory.architecture);
	fmt::print("CRNG        {}{}\n", inventory.crng_ready ? "ready" : "NOT ready",
	           inventory.entropy_available
	               ? fmt::format(", pool {} of {} bits: {}", *inventory.entropy_available,
	                             inventory.pool_size.value_or(0), pool_meaning(inventory))
	               : "");
	print_hwrng_text(inventory, probed_instead);
	fmt::print("CPU         {}\n", cpu_text(inventory));
	if (inventory.tpms.empty())
		fmt::print("TPM         none\n");
	for (const auto &tpm : inventory.tpms)
		fmt::print("TPM         {}\n", tpm_text(tpm, around));
	if (around.config_hw_random_tpm)
		fmt::print("            CONFIG_HW_RANDOM_TPM={} in this kernel\n",
		           *around.config_hw_random_tpm);
	print_modules_text(around);
	print_feeders_text(around);
	print_daemon_text(answer);
	fmt::print("\n");
	print_rows(rows);
	print_module_sources_text(inventory, around);
	print_distrust_text(inventory, config);
	fmt::print("\n{}\n", for_terminal(judgement(inventory, config, daemon, rows)));
	return exit_code;
}

Result<ExitCode> list_command(const Context &context)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	const auto inventory = take_inventory(context.root, *config);
	if (context.json)
		print_json(json_object({{"sources", sources_json(inventory, *config)}}));
	else
		print_sources_text(inventory, *config);
	return inventory.sources.empty() ? ExitCode::no_source : ExitCode::done;
}

} // namespace hwrngd
