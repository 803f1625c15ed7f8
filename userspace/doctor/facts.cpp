// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/facts.h"

#include "control/credit.h"
#include "control/modules.h"
#include "source/source.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <set>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>

namespace hwrngd {

namespace {

/// The target of the symbolic link `name`; empty if there is none.
std::string link_of(const Root &root, const std::string &name)
{
	std::error_code none;
	return std::filesystem::read_symlink(root.at(name), none).string();
}

/// Calls `use` with each line of `text`.
template <typename Use> void for_each_line(const std::string &text, Use use)
{
	std::istringstream lines(text);
	for (std::string line; std::getline(lines, line);)
		use(line);
}

/// Why something could not be checked, or how it can be.
std::string reason(const Error &error)
{
	return error.code == ExitCode::not_permitted ? "run as root"
	                                             : std::generic_category().message(error.number);
}

void inspect_place(const Root &root, Facts &facts)
{
	// The first namespace of processes has this number on every kernel (linux/proc_ns.h).
	const auto processes = link_of(root, "/proc/self/ns/pid");
	if (!processes.empty() && processes != "pid:[4026531836]")
		facts.container = Evidence{"/proc/self/ns/pid", processes + ", which is not the host's"};
	else if (const auto mark = container_mark(root))
		facts.container = Evidence{*mark, "marks a container"};
	facts.hypervisor = hypervisor_of(root);
	auto board = root.read_if_any("/proc/device-tree/model").value_or("");
	facts.board = board.substr(0, board.find('\0'));
	facts.efi = root.exists("/sys/firmware/efi");
	facts.systemd = root.exists("/run/systemd/system");
	// An administrator who masked it (systemctl(1)) does not want it to run.
	const bool masked = link_of(root, "/etc/systemd/system/hwrngd.service") == "/dev/null";
	for (const char *folder : {"/etc", "/lib", "/usr/lib", "/usr/local/lib"})
		facts.hwrngd_installed |=
		    !masked && root.exists(fmt::format("{}/systemd/system/hwrngd.service", folder));
	facts.rngd_installed = root.exists("/usr/sbin/rngd") || root.exists("/usr/bin/rngd");
	// "tpm_crb", and "tpm_crb_acpi" since Linux 7.
	const bool crb = link_of(root, "/sys/class/tpm/tpm0/device/driver").contains("/tpm_crb");
	facts.amd_ftpm = crb && root.read_if_any("/proc/cpuinfo").value_or("").contains("AuthenticAMD");
}

/// Finds files that load a renamed or removed module at boot: modules-load.d(5).
void inspect_boot_modules(const Root &root, Facts &facts)
{
	std::vector<std::string> files{"/etc/modules"};
	std::set<std::string> names; // a file replaces later ones of the same name
	for (const char *folder : {"/etc/modules-load.d", "/run/modules-load.d",
	                           "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d"})
		for (const auto &name : root.list(folder))
			// On Debian, modules.conf is a link to /etc/modules.
			if (name.ends_with(".conf") && names.insert(name).second &&
			    !link_of(root, fmt::format("{}/{}", folder, name)).ends_with("/modules"))
				files.push_back(fmt::format("{}/{}", folder, name));
	for (const auto &file : files)
		for_each_line(root.read_if_any(file).value_or(""), [&](const std::string &line) {
			std::string word;
			std::istringstream(line) >> word;
			std::ranges::replace(word, '-', '_');
			if (word == "tpm_rng" || word == "bcm2708_rng")
				facts.boot_modules.push_back({file, word});
		});
}

/// Finds monitors (as Debian packages them) that watch entropy_avail, which is constant since 5.18.
void inspect_monitors(const Root &root, Facts &facts)
{
	if (root.exists("/etc/munin/plugins/entropy"))
		facts.monitors.push_back({"/etc/munin/plugins/entropy", "installed"});
	std::vector<std::pair<std::string, std::string>> files{
	    {"/etc/collectd/collectd.conf", "LoadPlugin entropy"},
	    {"/etc/nagios/nrpe.cfg", "entropy"},
	    {"/etc/zabbix/zabbix_agentd.conf", "entropy_avail"},
	};
	for (const auto &name : root.list("/etc/nagios/nrpe.d"))
		if (name.ends_with(".cfg")) // as nrpe's include_dir reads them
			files.emplace_back("/etc/nagios/nrpe.d/" + name, "entropy");
	for (const auto &[file, word] : files)
		for_each_line(root.read_if_any(file).value_or(""),
		              [&, &path = file, &wanted = word](const std::string &line) {
			              const auto first = line.find_first_not_of(" \t");
			              if (line.contains(wanted) && line[first] != '#')
				              facts.monitors.push_back({path, line});
		              });
}

void inspect_idle_devices(const Root &root, Facts &facts)
{
	const auto add = [&](const std::string &folder, const std::string &value,
	                     const std::string &drivers, bool drivers_loaded) {
		// The driver of an ACPI device belongs to its platform device.
		if (!root.exists(folder + "/driver") && !root.exists(folder + "/physical_node/driver"))
			facts.idle_devices.push_back({{folder, value}, drivers, drivers_loaded});
	};
	// These modules have parameters or a version, so their folders exist even if they are built in.
	const bool tis = root.exists("/sys/module/tpm_tis");
	const bool crb = root.exists("/sys/module/tpm_crb");
	// The status of a device that the firmware switched off is 0 (ACPI 6.5, 6.3.7).
	const auto is_on = [&](const std::string &folder) {
		return root.read_if_any(folder + "/status").value_or("15") != "0";
	};
	constexpr std::string_view virtio_entropy = "0x0004"; // VIRTIO 1.2, 5.4
	for (const auto &name : root.list("/sys/bus/virtio/devices")) {
		const auto folder = "/sys/bus/virtio/devices/" + name;
		if (root.read_if_any(folder + "/device") == virtio_entropy)
			add(folder, "virtio-rng", "virtio_rng",
			    root.exists("/sys/bus/virtio/drivers/virtio_rng"));
	}
	if (!root.list("/sys/class/tpm").empty())
		return;
	for (const auto &name : root.list("/sys/bus/acpi/devices")) {
		const auto folder = "/sys/bus/acpi/devices/" + name;
		if (name.starts_with("MSFT0101:") && is_on(folder))
			add(folder, "TPM 2.0", "tpm_crb tpm_tis", tis && crb);
		// The ids of TPMs 1.2 in the driver tpm_tis.
		if ((name.starts_with("PNP0C31:") || name.starts_with("ATM1200:") ||
		     name.starts_with("IFX0102:")) &&
		    is_on(folder))
			add(folder, "TPM 1.2", "tpm_tis", tis);
	}
}

/// Finds out whether the firmware lists a TPM, and which TPMs are switched off.
void inspect_tpms(const Root &root, const Inventory &inventory, Facts &facts)
{
	for (const char *table : {"TPM2", "TCPA"}) {
		const auto file = fmt::format("/sys/firmware/acpi/tables/{}", table);
		if (!facts.tpm_table && root.exists(file))
			facts.tpm_table = Evidence{file, "exists"};
	}
	for (const auto &tpm : inventory.tpms)
		// Documentation/ABI/stable/sysfs-class-tpm
		for (const auto &[name, off] : {std::pair("enabled", "0"), std::pair("active", "0"),
		                                std::pair("temp_deactivated", "1")}) {
			const auto file = fmt::format("/sys/class/tpm/{}/{}", tpm.name, name);
			if (root.read_if_any(file) == off)
				facts.inactive_tpms.push_back({file, off});
		}
}

/// One record of /dev/kmsg: "priority,number,microseconds,flags;text" (Documentation/ABI/testing/
/// dev-kmsg).
void parse_message(const std::string &record, Facts &facts)
{
	const auto text = record.find(';');
	if (text == std::string::npos)
		return;
	const auto message = record.substr(text + 1);
	if (message.contains("crng init done")) {
		const auto second = record.find(',', record.find(',') + 1);
		uint64_t us = 0;
		if (second < text &&
		    std::from_chars(&record[second + 1], &record[text], us).ec == std::errc{})
			facts.ready_after = static_cast<double>(us) / 1e6;
	}
	const auto has_one_of = [&](std::span<const std::string_view> words) {
		return std::ranges::any_of(words, [&](auto word) { return message.contains(word); });
	};
	constexpr size_t most = 32;
	if (facts.messages.size() < most &&
	    // A machine can log the same message a thousand times.
	    std::ranges::find(facts.messages, message, &Evidence::value) == facts.messages.end() &&
	    (has_one_of(amd_tpm_words) || has_one_of(tpm_upgrade_words) ||
	     has_one_of(tpm_error_words) || has_one_of(refusal_words) || has_one_of(cpu_erratum_words)))
		facts.messages.push_back({"the kernel's log", message});
}

void inspect_log(const Root &root, Facts &facts)
{
	const auto log = root.open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (!log) {
		facts.not_seen.push_back(fmt::format("the kernel's log ({})", reason(log.error())));
		return;
	}
	// A record is at most 8 KiB long, and each read returns one record.
	constexpr size_t longest = 8192;
	constexpr int most_records = 100'000;
	std::string record(longest, '\0');
	for (int i = 0; i < most_records; i++) {
		const auto size = ::read(log->get(), record.data(), record.size());
		if (size > 0)
			for_each_line(record.substr(0, static_cast<size_t>(size)),
			              [&](const std::string &line) { parse_message(line, facts); });
		else if (size == 0 || (errno != EPIPE && errno != EINTR)) // EPIPE: some were overwritten
			break;
	}
}

/// CPU time of a process in clock ticks: the 12th and 13th words after its name (proc(5)).
std::optional<uint64_t> ticks_of(const Root &root, unsigned pid)
{
	const auto stat = root.read_if_any(fmt::format("/proc/{}/stat", pid)).value_or("");
	const auto name_end = stat.rfind(')');
	if (name_end == std::string::npos)
		return std::nullopt;
	std::istringstream words(stat.substr(name_end + 1));
	constexpr int before = 11;
	std::string skipped;
	for (int i = 0; i < before; i++)
		words >> skipped;
	uint64_t user = 0;
	uint64_t system = 0;
	words >> user >> system;
	return words ? std::optional(user + system) : std::nullopt;
}

void inspect_load(const Root &root, const Environment &around, Facts &facts)
{
	constexpr std::chrono::milliseconds period{500};
	using Clock = std::chrono::steady_clock;
	std::vector<std::pair<Feeder, uint64_t>> before;
	for (const auto &feeder : around.feeders)
		if (const auto ticks = ticks_of(root, feeder.pid))
			before.emplace_back(feeder, *ticks);
	if (before.empty())
		return;
	const auto start = Clock::now();
	std::this_thread::sleep_for(period);
	const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
	const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
	for (const auto &[feeder, ticks] : before)
		// The number may belong to another process by now.
		if (const auto now = ticks_of(root, feeder.pid); now.value_or(0) >= ticks)
			facts.busy.push_back({feeder, static_cast<double>(now.value_or(0) - ticks) /
			                                  ticks_per_second / seconds});
}

/// The module in which a reader of a hwrng (a program or the kernel's thread) waits, from the stack
/// of the task. A line is "[<0>] virtio_read+0x1b/0x90 [virtio_rng]"; the last word is missing if
/// the code is built in.
std::optional<std::string> driver_on(const std::string &stack)
{
	std::optional<std::string> driver;
	bool reads = false;
	for_each_line(stack, [&](const std::string &line) {
		reads |= line.contains("rng_dev_read") || line.contains("hwrng_fillfn");
		const auto name = line.rfind('[');
		if (!reads && !driver && line.ends_with(']') && line[name + 1] != '<')
			driver = line.substr(name + 1, line.size() - name - 2);
	});
	return reads && driver != "rng_core" ? driver : std::nullopt;
}

void inspect_stuck_readers(const Root &root, Facts &facts)
{
	for (const auto &process : root.list("/proc")) {
		if (process.find_first_not_of("0123456789") != std::string::npos)
			continue;
		const auto tasks = fmt::format("/proc/{}/task", process);
		for (const auto &task : root.list(tasks)) {
			const auto file = fmt::format("{}/{}/stack", tasks, task);
			if (const auto driver = driver_on(root.read_if_any(file).value_or("")))
				facts.stuck_readers.push_back({file, *driver});
		}
	}
}

/// CPU time of this process, including its threads and its time in the kernel.
double cpu_seconds()
{
	struct rusage used = {};
	if (getrusage(RUSAGE_SELF, &used) < 0)
		return 0;
	constexpr double us = 1e-6;
	return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       us * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

void inspect_hwrng(const Root &root, const Inventory &inventory, Facts &facts)
{
	if (!inventory.hwrng || inventory.hwrng->current.empty())
		return;
	const auto path = root.at("/dev/hwrng").string();
	auto source = open_device(path, 64);
	if (!source) {
		facts.not_seen.push_back(
		    fmt::format("the output of /dev/hwrng ({})", reason(source.error())));
		return;
	}
	// More than the framework may still hold from an earlier RNG.
	std::array<uint8_t, 256> bytes{};
	const double used_before = cpu_seconds();
	const auto size = fill(**source, bytes);
	if (!size) {
		facts.answer = size.error().number == ETIMEDOUT || size.error().number == EAGAIN
		                   ? HwrngAnswer::nothing
		                   : HwrngAnswer::error;
		facts.answer_text = size.error().message;
		// A read that only waits uses almost no CPU time. A read that spins may share the CPU.
		constexpr double spinning = 0.2;
		const double used = cpu_seconds() - used_before;
		const double waited = std::chrono::duration<double>(stall_limit).count();
		if (facts.answer == HwrngAnswer::nothing && used > spinning * waited) {
			facts.answer = HwrngAnswer::spins;
			facts.answer_text += fmt::format(", and used {:.1f} s of CPU time", used);
		}
		if (facts.answer == HwrngAnswer::nothing)
			inspect_stuck_readers(root, facts);
		if (size.error().code == ExitCode::interrupted)
			facts.answer = HwrngAnswer::unknown;
	} else if (*size == bytes.size()) {
		const auto last = bytes.back();
		const auto fresh = std::span(bytes).subspan(64);
		facts.answer = std::ranges::all_of(fresh, [&](auto byte) { return byte == last; })
		                   ? HwrngAnswer::equal_bytes
		                   : HwrngAnswer::bytes;
		if (facts.answer == HwrngAnswer::equal_bytes)
			facts.answer_text = fmt::format("{} bytes of 0x{:02x}", fresh.size(), last);
	}
	explicit_bzero(bytes.data(), bytes.size());
}

} // namespace

std::string hypervisor_of(const Root &root)
{
	// Some ARM machines can be recognised only by their vendor.
	constexpr std::array<std::string_view, 5> vendors{"QEMU", "VMware", "Amazon EC2", "OpenStack",
	                                                  "Hetzner"};
	const auto text = [&](const char *file) { return root.read_if_any(file).value_or(""); };
	// Xen's guest that manages the others owns the real hardware.
	if (text("/proc/xen/capabilities").contains("control_d"))
		return "";
	const auto vendor = text("/sys/class/dmi/id/sys_vendor");
	const auto xen = root.read_if_any("/sys/hypervisor/type");
	bool virtual_machine = xen.has_value();
	for_each_line(text("/proc/cpuinfo"), [&](const std::string &line) {
		virtual_machine |= line.starts_with("flags") && (line + " ").contains(" hypervisor ");
	});
	virtual_machine |=
	    std::ranges::any_of(vendors, [&](auto one) { return vendor.starts_with(one); }) ||
	    text("/sys/class/dmi/id/product_name") == "Google Compute Engine" ||
	    // The model of QEMU's machine "virt" without firmware tables.
	    text("/proc/device-tree/model").starts_with("linux,dummy-virt");
	if (!virtual_machine)
		return "";
	return vendor.empty() ? xen.value_or("unknown") : vendor;
}

Facts find_facts(const Root &root, const Inventory &inventory, const Environment &around,
                 const Config &config)
{
	Facts facts;
	inspect_place(root, facts);
	if (!root.exists("/sys/class"))
		facts.not_mounted = "sys";
	else if (!root.exists("/proc/sys"))
		facts.not_mounted = "proc";
	// Everything else belongs to the host or cannot be seen.
	if (facts.container || !facts.not_mounted.empty())
		return facts;
	facts.status_socket = config.status_socket;
	if (config.rng_current == Hold::hold && !config.prefer.empty())
		facts.kept_rng = config.prefer.front();
	facts.why_not_cpu_rng = why_not_cpu_rng(inventory, config);
	for (const auto &source : inventory.sources)
		if (const auto why = why_uncredited(source, config.source(source.name));
		    !why.empty() && source.absent.empty())
			facts.uncredited.push_back({source.name, std::string(why)});
	facts.refusal = signature_rule(root).transform(
	    [](const std::string &rule) { return Evidence{rule, "on"}; });
	facts.modules_disabled = root.read_if_any("/proc/sys/kernel/modules_disabled") == "1";
	inspect_boot_modules(root, facts);
	inspect_monitors(root, facts);
	inspect_idle_devices(root, facts);
	inspect_tpms(root, inventory, facts);
	inspect_log(root, facts);
	inspect_load(root, around, facts);
	inspect_hwrng(root, inventory, facts);
	// proc(5), hidepid
	if (!around.sees_all_processes)
		facts.not_seen.emplace_back("other users' processes (run as root)");
	return facts;
}

} // namespace hwrngd
