// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/facts.h"

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

/// What link `name` points to, or nothing.
std::string link_of(const Root &root, const std::string &name)
{
	std::error_code none;
	return std::filesystem::read_symlink(root.at(name), none).string();
}

/// Calls `take` with each line of `text`.
template <typename Take> void for_lines(const std::string &text, Take take)
{
	std::istringstream lines(text);
	for (std::string line; std::getline(lines, line);)
		take(line);
}

/// Why something was not looked at, or how it can be.
std::string reason(const Error &error)
{
	return error.code == ExitCode::not_permitted ? "run as root"
	                                             : std::generic_category().message(error.number);
}

void look_at_place(const Root &root, Facts &facts)
{
	// The first namespace of processes has this number on every kernel (linux/proc_ns.h).
	const auto processes = link_of(root, "/proc/self/ns/pid");
	if (!processes.empty() && processes != "pid:[4026531836]")
		facts.container = Evidence{"/proc/self/ns/pid", processes + ", and not the host's"};
	else if (const auto mark = container_mark(root))
		facts.container = Evidence{*mark, "marks a container"};
	facts.hypervisor = hypervisor_of(root);
	auto board = root.read_if_any("/proc/device-tree/model").value_or("");
	facts.board = board.substr(0, board.find('\0'));
	facts.efi = root.exists("/sys/firmware/efi");
	facts.systemd = root.exists("/run/systemd/system");
	// Who has masked it (systemctl(1)) wants none.
	const bool masked = link_of(root, "/etc/systemd/system/hwrngd.service") == "/dev/null";
	for (const char *folder : {"/etc", "/lib", "/usr/lib", "/usr/local/lib"})
		facts.hwrngd_installed |=
		    !masked && root.exists(fmt::format("{}/systemd/system/hwrngd.service", folder));
	facts.rngd_installed = root.exists("/usr/sbin/rngd") || root.exists("/usr/bin/rngd");
	// "tpm_crb", and "tpm_crb_acpi" since Linux 7.
	const bool crb = link_of(root, "/sys/class/tpm/tpm0/device/driver").contains("/tpm_crb");
	facts.amd_ftpm = crb && root.read_if_any("/proc/cpuinfo").value_or("").contains("AuthenticAMD");
}

/// Files that have a module loaded at boot which is not what it was: modules-load.d(5).
void look_at_asked_modules(const Root &root, Facts &facts)
{
	std::vector<std::string> files{"/etc/modules"};
	std::set<std::string> names; // a file takes the place of those after it of the same name
	for (const char *folder : {"/etc/modules-load.d", "/run/modules-load.d",
	                           "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d"})
		for (const auto &name : root.list(folder))
			// Debian's modules.conf there is a link to /etc/modules.
			if (name.ends_with(".conf") && names.insert(name).second &&
			    !link_of(root, fmt::format("{}/{}", folder, name)).ends_with("/modules"))
				files.push_back(fmt::format("{}/{}", folder, name));
	for (const auto &file : files)
		for_lines(root.read_if_any(file).value_or(""), [&](const std::string &line) {
			std::string word;
			std::istringstream(line) >> word;
			std::ranges::replace(word, '-', '_');
			if (word == "tpm_rng" || word == "bcm2708_rng")
				facts.asked_modules.push_back({file, word});
		});
}

/// Monitors as Debian packages them, where they watch what has stood still since Linux 5.18.
void look_at_monitors(const Root &root, Facts &facts)
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
		for_lines(root.read_if_any(file).value_or(""),
		          [&, &path = file, &wanted = word](const std::string &line) {
			          const auto first = line.find_first_not_of(" \t");
			          if (line.contains(wanted) && line[first] != '#')
				          facts.monitors.push_back({path, line});
		          });
}

void look_at_idle_devices(const Root &root, Facts &facts)
{
	const auto add = [&](const std::string &folder, const std::string &value,
	                     const std::string &drivers, bool they_are_here) {
		// An ACPI device has its driver at the platform's device.
		if (!root.exists(folder + "/driver") && !root.exists(folder + "/physical_node/driver"))
			facts.idle_devices.push_back({{folder, value}, drivers, they_are_here});
	};
	// These have parameters or a version, and so their folders even where they are built in.
	const bool tis = root.exists("/sys/module/tpm_tis");
	const bool crb = root.exists("/sys/module/tpm_crb");
	// One that the firmware has switched off has status 0 (ACPI 6.5, 6.3.7).
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
		// Those of TPM 1.2, as tpm_tis has them.
		if ((name.starts_with("PNP0C31:") || name.starts_with("ATM1200:") ||
		     name.starts_with("IFX0102:")) &&
		    is_on(folder))
			add(folder, "TPM 1.2", "tpm_tis", tis);
	}
}

/// Whether the firmware tells of a TPM, and what tpm_rng has and does not offer.
void look_at_tpms(const Root &root, const Inventory &inventory, Facts &facts)
{
	for (const char *table : {"TPM2", "TCPA"}) {
		const auto file = fmt::format("/sys/firmware/acpi/tables/{}", table);
		if (!facts.tpm_table && root.exists(file))
			facts.tpm_table = Evidence{file, "there"};
	}
	for (const auto &tpm : inventory.tpms) {
		// Documentation/ABI/stable/sysfs-class-tpm
		for (const auto &[name, off] : {std::pair("enabled", "0"), std::pair("active", "0"),
		                                std::pair("temp_deactivated", "1")}) {
			const auto file = fmt::format("/sys/class/tpm/{}/{}", tpm.name, name);
			if (root.read_if_any(file) == off)
				facts.inactive_tpms.push_back({file, off});
		}
		if (tpm.hwrng)
			continue;
		const auto file = fmt::format("/sys/module/tpm_rng/tpm_rng.{}/state", tpm.name.substr(3));
		if (const auto state = root.read_if_any(file))
			facts.waiting_tpms.push_back({file, *state});
	}
}

/// One record of /dev/kmsg: "priority,number,microseconds,flags;text" (Documentation/ABI/testing/
/// dev-kmsg).
void take_message(const std::string &record, Facts &facts)
{
	constexpr std::array<std::string_view, 2> amd_words{"Disabling hwrng", "is left alone"};
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
	    // A machine can say the same a thousand times.
	    std::ranges::find(facts.messages, message, &Evidence::value) == facts.messages.end() &&
	    (has_one_of(amd_words) || has_one_of(tpm_error_words) || has_one_of(refusal_words) ||
	     has_one_of(cpu_erratum_words)))
		facts.messages.push_back({"the kernel's log", message});
}

void look_at_log(const Root &root, Facts &facts)
{
	const auto log = root.open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (!log) {
		facts.not_seen.push_back(fmt::format("the kernel's log ({})", reason(log.error())));
		return;
	}
	// A record is at most 8 KiB long, and a read gives one.
	constexpr size_t longest = 8192;
	constexpr int most_records = 100'000;
	std::string record(longest, '\0');
	for (int i = 0; i < most_records; i++) {
		const auto size = ::read(log->get(), record.data(), record.size());
		if (size > 0)
			for_lines(record.substr(0, static_cast<size_t>(size)),
			          [&](const std::string &line) { take_message(line, facts); });
		else if (size == 0 || (errno != EPIPE && errno != EINTR)) // EPIPE: some were overwritten
			break;
	}
}

/// Clock ticks that a process has used, by proc(5): the 12th and 13th word after its name.
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

void look_at_load(const Root &root, const Environment &around, Facts &facts)
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
	const auto ticks_a_second = static_cast<double>(sysconf(_SC_CLK_TCK));
	for (const auto &[feeder, ticks] : before)
		// Another process may have its number by now.
		if (const auto now = ticks_of(root, feeder.pid); now.value_or(0) >= ticks)
			facts.busy.push_back(
			    {feeder, static_cast<double>(now.value_or(0) - ticks) / ticks_a_second / seconds});
}

/// The module in which a task waits that reads a hwrng for a program or for the kernel's thread, by
/// its stack: a line is "[<0>] virtio_read+0x1b/0x90 [virtio_rng]", without the last word if it is
/// built in.
std::optional<std::string> driver_on(const std::string &stack)
{
	std::optional<std::string> driver;
	bool reads = false;
	for_lines(stack, [&](const std::string &line) {
		reads |= line.contains("rng_dev_read") || line.contains("hwrng_fillfn");
		const auto name = line.rfind('[');
		if (!reads && !driver && line.ends_with(']') && line[name + 1] != '<')
			driver = line.substr(name + 1, line.size() - name - 2);
	});
	return reads && driver != "rng_core" ? driver : std::nullopt;
}

void look_at_stuck_readers(const Root &root, Facts &facts)
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

/// What this process has used of CPUs, its threads and the kernel on its behalf included.
double cpu_seconds()
{
	struct rusage used = {};
	if (getrusage(RUSAGE_SELF, &used) < 0)
		return 0;
	constexpr double us = 1e-6;
	return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       us * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

void look_at_hwrng(const Root &root, const Inventory &inventory, Facts &facts)
{
	if (!inventory.hwrng || inventory.hwrng->current.empty())
		return;
	const auto path = root.at("/dev/hwrng").string();
	auto source = open_device(path, 64);
	if (!source) {
		facts.not_seen.push_back(fmt::format("what /dev/hwrng gives ({})", reason(source.error())));
		return;
	}
	// More than the framework may have left of an earlier RNG.
	std::array<uint8_t, 256> bytes{};
	const double used_before = cpu_seconds();
	const auto size = fill(**source, bytes);
	if (!size) {
		facts.answer = size.error().number == ETIMEDOUT || size.error().number == EAGAIN
		                   ? HwrngAnswer::nothing
		                   : HwrngAnswer::error;
		facts.answer_text = size.error().message;
		// Who only waits uses next to nothing; who spins has to share with others who do.
		constexpr double spinning = 0.2;
		const double used = cpu_seconds() - used_before;
		const double waited = std::chrono::duration<double>(stall_limit).count();
		if (facts.answer == HwrngAnswer::nothing && used > spinning * waited) {
			facts.answer = HwrngAnswer::spins;
			facts.answer_text += fmt::format(", which took {:.1f} s of a CPU", used);
		}
		if (facts.answer == HwrngAnswer::nothing)
			look_at_stuck_readers(root, facts);
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
	// Some ARM machines say it nowhere else.
	constexpr std::array<std::string_view, 5> vendors{"QEMU", "VMware", "Amazon EC2", "OpenStack",
	                                                  "Hetzner"};
	const auto text = [&](const char *file) { return root.read_if_any(file).value_or(""); };
	// The guest that manages the others has the real hardware.
	if (text("/proc/xen/capabilities").contains("control_d"))
		return "";
	const auto vendor = text("/sys/class/dmi/id/sys_vendor");
	const auto xen = root.read_if_any("/sys/hypervisor/type");
	bool virtual_machine = xen.has_value();
	for_lines(text("/proc/cpuinfo"), [&](const std::string &line) {
		virtual_machine |= line.starts_with("flags") && (line + " ").contains(" hypervisor ");
	});
	virtual_machine |=
	    std::ranges::any_of(vendors, [&](auto one) { return vendor.starts_with(one); }) ||
	    text("/sys/class/dmi/id/product_name") == "Google Compute Engine" ||
	    // That of QEMU's "virt" without firmware tables.
	    text("/proc/device-tree/model").starts_with("linux,dummy-virt");
	if (!virtual_machine)
		return "";
	return vendor.empty() ? xen.value_or("unknown") : vendor;
}

Facts find_facts(const Root &root, const Inventory &inventory, const Environment &around,
                 const Config &config)
{
	Facts facts;
	look_at_place(root, facts);
	if (!root.exists("/sys/class"))
		facts.not_mounted = "sys";
	else if (!root.exists("/proc/sys"))
		facts.not_mounted = "proc";
	// All else belongs to the host, or cannot be seen.
	if (facts.container || !facts.not_mounted.empty())
		return facts;
	facts.status_socket = config.status_socket;
	if (config.rng_current == Hold::hold && !config.prefer.empty())
		facts.kept_rng = config.prefer.front();
	facts.refusal = signature_rule(root).transform(
	    [](const std::string &rule) { return Evidence{rule, "on"}; });
	facts.modules_disabled = root.read_if_any("/proc/sys/kernel/modules_disabled") == "1";
	look_at_asked_modules(root, facts);
	look_at_monitors(root, facts);
	look_at_idle_devices(root, facts);
	look_at_tpms(root, inventory, facts);
	look_at_log(root, facts);
	look_at_load(root, around, facts);
	look_at_hwrng(root, inventory, facts);
	// proc(5), hidepid
	if (!around.sees_all_processes)
		facts.not_seen.emplace_back("other users' processes (run as root)");
	return facts;
}

} // namespace hwrngd
