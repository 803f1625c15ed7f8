// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/config.h"

#include "base/address.h"
#include "base/write_file.h"
#include "control/config_table.h"

#include <fnmatch.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include <toml++/toml.h>

namespace hwrngd {

namespace {

constexpr const char *main_file = "/etc/hwrngd.conf";
constexpr const char *folder = "/etc/hwrngd.conf.d";
constexpr const char *selected_file = "/etc/hwrngd.conf.d/zz-selected.conf";

/// Returns what is wrong with a pattern, or "". fnmatch(3) accepts every pattern, but a malformed
/// one matches nothing.
std::string wrong_pattern(const std::string &pattern)
{
	if (pattern.empty())
		return "matches nothing";
	for (size_t i = 0; i < pattern.size(); i++) {
		if (pattern[i] == '\\') {
			i++;
			if (i == pattern.size())
				return "ends with a backslash: a character must follow it";
		} else if (pattern[i] == '[') {
			i = pattern.find(']', i + 2);
			if (i == std::string::npos)
				return "has a [ without a closing ]";
		}
	}
	return "";
}

std::string wrong_module(const std::string &name)
{
	return name == "tpm_rng" || name == "cpu_rng" ? "" : "is not one of: tpm_rng, cpu_rng";
}

/// Reads the keys that define a source. It has one of them; if several files define it, the last
/// one wins.
void merge_maker(const std::string &name, Table &table, SourceConfig &source)
{
	constexpr unsigned fastest = 4'000'000;
	table.text("path", source.path);
	table.whole("speed", source.speed, 50, fastest, "baud");
	table.texts("command", source.command, [](const std::string &) { return ""; });
	table.text("egd", source.egd);
	table.text("ssh", source.ssh);
	const char *maker = nullptr;
	for (const char *key : {"path", "command", "egd", "ssh"}) {
		const auto *node = table.find(key);
		if (node == nullptr)
			continue;
		if (maker != nullptr)
			table.refuse(*node, fmt::format("{}: the source has the key {} already; it needs "
			                                "exactly one of path, command, egd and ssh",
			                                key, maker));
		else if (name.find_first_of("*?[\\") != std::string::npos)
			table.refuse(*node, fmt::format("\"{}\" is a pattern; a source that is defined by {} "
			                                "needs a name without *, ?, [ and \\",
			                                name, key));
		maker = key;
	}
	if (maker == nullptr)
		return;
	SourceConfig made;
	const std::string_view by = maker;
	const auto refuse = [&](const std::string &value, const std::string &wrong) {
		table.refuse(*table.find(maker), fmt::format("{}: \"{}\" {}", maker, value, wrong));
	};
	if (by == "path") {
		made.path = source.path;
		if (!made.path.starts_with('/'))
			refuse(made.path, "does not begin with /");
	} else if (by == "command") {
		made.command = source.command;
		if (made.command.empty() || made.command.front().empty())
			table.refuse(*table.find(maker),
			             "command: give the name of a program, then its arguments");
	} else if (by == "egd") {
		made.egd = source.egd;
		if (const auto address = parse_egd_address(made.egd); !address)
			refuse(made.egd, address.error().message);
	} else {
		made.ssh = source.ssh;
		if (const auto address = parse_ssh_address(made.ssh); !address)
			refuse(made.ssh, address.error().message);
	}
	source.path = made.path;
	source.command = made.command;
	source.egd = made.egd;
	source.ssh = made.ssh;
}

/// Reads the keys that are paths of files. An empty text means no file.
void merge_files(Table &table, SourceConfig &source)
{
	const auto file = [&](const char *key, std::string &value) {
		table.text(key, value);
		if (const auto *node = table.find(key);
		    node != nullptr && !value.empty() && !value.starts_with('/'))
			table.refuse(*node, fmt::format("{}: \"{}\" does not begin with /", key, value));
	};
	file("tls_ca", source.tls_ca);
	file("tls_certificate", source.tls_certificate);
	file("tls_key", source.tls_key);
	file("identity", source.identity);
	file("known_hosts", source.known_hosts);
}

/// Returns what is wrong with the combination of a source's keys, or "".
std::string wrong_source(const SourceConfig &source)
{
	const bool tls = source.egd.starts_with("tls:");
	const bool has_tls =
	    !source.tls_ca.empty() || !source.tls_certificate.empty() || !source.tls_key.empty();
	if (tls && source.tls_ca.empty())
		return fmt::format("egd: {} needs tls_ca, the authorities that sign the server's "
		                   "certificate",
		                   source.egd);
	if (!tls && has_tls)
		return "tls_ca, tls_certificate and tls_key need egd = \"tls:HOST:PORT\"";
	if (source.tls_certificate.empty() != source.tls_key.empty())
		return "tls_certificate and tls_key belong together: give both or neither";
	if (source.ssh.empty() && (!source.identity.empty() || !source.known_hosts.empty()))
		return "identity and known_hosts need ssh = \"USER@HOST\"";
	return "";
}

std::string wrong_address(const std::string &text)
{
	const auto address = parse_listen_address(text);
	return address ? "" : address.error().message;
}

constexpr double day = 86400;

void merge_egd(Table &table, EgdConfig &egd)
{
	constexpr unsigned most_clients = 100'000;
	constexpr unsigned fastest = 1'000'000'000;
	table.texts("listen", egd.listen, wrong_address);
	table.whole("max_clients", egd.max_clients, 1, most_clients, "clients");
	table.whole("max_clients_per_address", egd.max_clients_per_address, 1, most_clients, "clients");
	table.whole("bytes_per_second", egd.bytes_per_second, 0, fastest, "bytes");
	table.whole("total_bytes_per_second", egd.total_bytes_per_second, 0, fastest, "bytes");
	table.seconds("idle_seconds", egd.idle_seconds, 1, day, true);
	table.text("tls_certificate", egd.tls_certificate);
	table.text("tls_key", egd.tls_key);
	table.text("tls_client_ca", egd.tls_client_ca);
	table.truth("plaintext", egd.plaintext);
}

Result<void> merge(const std::filesystem::path &path, const toml::table &document, Config &config)
{
	constexpr unsigned most_feed = 65536;
	constexpr unsigned largest_pool = 4096; // bits, in drivers/char/random.c before 5.18
	Table table(path, document);
	table.seconds("reseed_interval", config.reseed_interval, 0.01, day);
	table.whole("feed_bytes", config.feed_bytes, 1, most_feed, "bytes");
	table.whole("fill_watermark", config.fill_watermark, 0, largest_pool, "bits");
	table.choice("rng_current", config.rng_current,
	             {{"hold", Hold::hold}, {"prefer", Hold::prefer}, {"leave", Hold::leave}});
	table.seconds("visit_interval", config.probe_interval, 1, day, true); // its former name
	table.seconds("probe_interval", config.probe_interval, 1, day, true);
	table.texts("prefer", config.prefer, wrong_pattern);
	table.texts("deny", config.deny, wrong_pattern);
	table.texts("modules", config.modules, wrong_module);
	table.text("status_socket", config.status_socket);
	table.text("user", config.user);
	table.table("egd", [&](Table &of_egd) { merge_egd(of_egd, config.egd); });
	table.tables("source", [&](const std::string &name, Table &of_source) {
		auto &source = config.sources[name];
		of_source.whole("credit", source.credit, 0, full_quality, "bits in 1024");
		of_source.whole("assessed", source.assessed, 0, full_quality, "bits in 1024");
		merge_maker(name, of_source, source);
		merge_files(of_source, source);
	});
	return table.done();
}

Result<void> merge_file(const Root &root, const std::string &name, Config &config)
{
	const auto path = root.at(name);
	const auto text = root.read(name);
	if (!text)
		return std::unexpected(text.error());
	try {
		return merge(path, toml::parse(*text), config);
	} catch (const toml::parse_error &error) {
		return fail_at(path, error.source(), std::string(error.description()));
	}
}

/// All configuration files, in the order in which they are read.
std::vector<std::string> files(const Root &root)
{
	std::vector<std::string> names;
	if (root.exists(main_file))
		names.emplace_back(main_file);
	for (const auto &name : root.list(folder))
		if (name.ends_with(".conf") && !name.starts_with("."))
			names.push_back(fmt::format("{}/{}", folder, name));
	return names;
}

/// Writes a file in the configuration folder, completely or not at all, and returns its path.
Result<std::filesystem::path> write_part(const Root &root, const std::string &name,
                                         const std::string &text)
{
	auto path = root.at(name);
	std::error_code error;
	std::filesystem::create_directories(path.parent_path(), error);
	if (error)
		return fail_errno(error.value(), path.parent_path().string());
	if (auto written = write_file(path, text); !written)
		return std::unexpected(written.error());
	return path;
}

/// A pattern that matches only this name.
std::string exact_pattern(const std::string &name)
{
	std::string pattern;
	for (const char c : name) {
		if (std::string_view("*?[\\").find(c) != std::string_view::npos)
			pattern += '\\';
		pattern += c;
	}
	return pattern;
}

} // namespace

bool matches(const std::string &pattern, const std::string &name)
{
	return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

SourceConfig Config::source(const std::string &name) const
{
	std::vector<std::string_view> found;
	for (const auto &[pattern, source] : sources)
		if (pattern == name || matches(pattern, name))
			found.push_back(pattern);
	std::sort(found.begin(), found.end(), [&](auto a, auto b) {
		return std::pair(a == name, a.size()) < std::pair(b == name, b.size());
	});
	SourceConfig config;
	for (const auto pattern : found) {
		const auto &more = sources.at(std::string(pattern));
		config.credit = more.credit ? more.credit : config.credit;
		config.assessed = more.assessed ? more.assessed : config.assessed;
	}
	return config;
}

std::string wrong_listeners(const EgdConfig &egd, const std::vector<ListenAddress> &addresses)
{
	const bool has_keys =
	    !egd.tls_certificate.empty() && !egd.tls_key.empty() && !egd.tls_client_ca.empty();
	for (const auto &address : addresses) {
		if (address.tls && !has_keys)
			return fmt::format("egd.listen: {} needs tls_certificate, tls_key and tls_client_ca",
			                   text_of(address));
		if (!address.tls && !address.is_local() && !egd.plaintext)
			return fmt::format("egd.listen: {} serves other machines without encryption, so others "
			                   "on the network can read the bytes: use tls: instead of tcp:, or "
			                   "set `plaintext = true` if you trust the network",
			                   text_of(address));
	}
	return "";
}

Result<Config> read_config(const Root &root)
{
	Config config;
	for (const auto &name : files(root))
		if (auto merged = merge_file(root, name, config); !merged)
			return std::unexpected(merged.error());
	std::vector<ListenAddress> addresses;
	addresses.reserve(config.egd.listen.size());
	for (const auto &text : config.egd.listen)
		addresses.push_back(*parse_listen_address(text)); // valid: checked for each file
	if (auto wrong = wrong_listeners(config.egd, addresses); !wrong.empty())
		return fail(ExitCode::usage, std::move(wrong));
	for (const auto &[name, source] : config.sources)
		if (auto wrong = wrong_source(source); !wrong.empty())
			return fail(ExitCode::usage, fmt::format("[source.\"{}\"] {}", name, wrong));
	return config;
}

Result<std::filesystem::path> write_assessed(const Root &root, const std::string &source,
                                             unsigned assessed)
{
	std::string file = source; // a name from the kernel may contain any character
	for (char &c : file)
		if (c == '/' || c <= ' ')
			c = '_';
	std::ostringstream text;
	text << "# Written by `hwrngctl assess --source " << file << " --save`. Remove this file to\n"
	     << "# credit the source with half of its claim, without the limit of the assessment.\n"
	     << toml::table{{"source", toml::table{{source, toml::table{{"assessed", assessed}}}}}}
	     << "\n";
	return write_part(root, fmt::format("{}/assessed-{}.conf", folder, file), text.str());
}

Result<std::filesystem::path> write_selected(const Root &root, const std::string &name)
{
	for (const auto &file : files(root)) {
		if (file <= selected_file)
			continue;
		Config later;
		if (auto merged = merge_file(root, file, later); !merged)
			return std::unexpected(merged.error());
		if (!later.prefer.empty() || later.rng_current != Config().rng_current)
			return fail(ExitCode::usage,
			            fmt::format("{} overrides {}: it is read later and sets `prefer` or "
			                        "`rng_current`. Change these keys there",
			                        root.at(file).string(), root.at(selected_file).string()));
	}
	std::ostringstream text;
	text << "# Written by `hwrngctl select --persist`; `hwrngctl select --persist auto` removes "
	        "it.\n"
	     << toml::table{{"rng_current", "hold"}, {"prefer", toml::array{exact_pattern(name)}}}
	     << "\n";
	return write_part(root, selected_file, text.str());
}

Result<bool> remove_selected(const Root &root)
{
	const bool was_there = root.exists(selected_file);
	if (auto removed = remove_file(root.at(selected_file)); !removed)
		return std::unexpected(removed.error());
	return was_there;
}

} // namespace hwrngd
