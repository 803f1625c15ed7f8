// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "pool/credit.h"
#include "write_file.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <sstream>
#include <utility>

#include <toml++/toml.h>

namespace hwrngd {

namespace {

constexpr const char *main_file = "/etc/hwrngd.conf";
constexpr const char *folder = "/etc/hwrngd.conf.d";
constexpr const char *selected_file = "/etc/hwrngd.conf.d/zz-selected.conf";

std::unexpected<Error> fail_at(const std::filesystem::path &path, const toml::source_region &where,
                               const std::string &what)
{
	return fail(ExitCode::usage, fmt::format("{}, line {}: {}", path.string(),
	                                         static_cast<unsigned>(where.begin.line), what));
}

/// How many letters must be put in, left out or exchanged to make `b` of `a` (Levenshtein).
size_t distance(std::string_view a, std::string_view b)
{
	std::vector<size_t> row(b.size() + 1);
	std::iota(row.begin(), row.end(), size_t{0});
	for (size_t i = 0; i < a.size(); i++) {
		size_t diagonal = std::exchange(row[0], i + 1);
		for (size_t j = 0; j < b.size(); j++) {
			const size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
			diagonal = row[j + 1];
			row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, exchanged});
		}
	}
	return row.back();
}

/// One table of a file. Each key is asked for by its type; what was not asked for, nobody knows.
/// Remembers the first error in the order of asking; without one, values are set.
class Table {
public:
	Table(const std::filesystem::path &path, const toml::table &table) : path_(path), table_(table)
	{
	}

	/// A key's value, if it is there.
	const toml::node *find(const char *key)
	{
		if (std::find(known_.begin(), known_.end(), key) == known_.end())
			known_.emplace_back(key);
		return table_.get(key);
	}

	void refuse(const toml::node &node, const std::string &what)
	{
		if (!error_)
			error_ = fail_at(path_, node.source(), what).error();
	}

	void text(const char *key, std::string &value)
	{
		if (const auto *node = find(key)) {
			if (const auto got = node->value_exact<std::string>())
				value = *got;
			else
				refuse(*node, fmt::format("{}: give a text, in quotation marks", key));
		}
	}

	/// A whole number from `least` to `most`, of what `unit` says.
	template <typename Number>
	void whole(const char *key, Number &value, unsigned least, unsigned most, const char *unit)
	{
		if (const auto *node = find(key)) {
			const auto got = node->value_exact<int64_t>();
			if (got && *got >= least && *got <= most)
				value = static_cast<unsigned>(*got);
			else
				refuse(*node, fmt::format("{}: give a whole number of {}, {} to {}", key, unit,
				                          least, most));
		}
	}

	/// Seconds, whole or not, from `least` to `most`; or 0, if that means `never`.
	void seconds(const char *key, std::chrono::milliseconds &value, double least, double most,
	             bool never = false)
	{
		if (const auto *node = find(key)) {
			auto got = node->value_exact<double>();
			if (const auto whole = node->value_exact<int64_t>())
				got = static_cast<double>(*whole);
			if (got && ((*got >= least && *got <= most) || (never && *got == 0)))
				value = std::chrono::milliseconds(std::llround(*got * 1000));
			else
				refuse(*node, fmt::format("{}: give seconds, {} to {}{}", key, least, most,
				                          never ? ", or 0 for never" : ""));
		}
	}

	void truth(const char *key, bool &value)
	{
		if (const auto *node = find(key)) {
			if (const auto got = node->value_exact<bool>())
				value = *got;
			else
				refuse(*node, fmt::format("{}: give true or false", key));
		}
	}

	/// One of some words.
	template <typename Enum>
	void choice(const char *key, Enum &value,
	            std::initializer_list<std::pair<const char *, Enum>> choices)
	{
		if (const auto *node = find(key)) {
			const auto got = node->value_exact<std::string>();
			std::string words;
			for (const auto &[word, meaning] : choices) {
				if (got == word) {
					value = meaning;
					return;
				}
				words += fmt::format("{}\"{}\"", words.empty() ? "" : ", ", word);
			}
			refuse(*node, fmt::format("{}: give one of {}", key, words));
		}
	}

	/// A list of texts, each of which `wrong` finds nothing wrong with.
	void texts(const char *key, std::vector<std::string> &value,
	           const std::function<std::string(const std::string &)> &wrong)
	{
		const auto *node = find(key);
		if (node == nullptr)
			return;
		const auto *list = node->as_array();
		if (list == nullptr) {
			refuse(*node, fmt::format("{}: give a list of texts, [\"...\", ...]", key));
			return;
		}
		std::vector<std::string> got;
		for (const auto &item : *list) {
			const auto text = item.value_exact<std::string>();
			if (!text) {
				refuse(item, fmt::format("{}: give texts, in quotation marks", key));
				return;
			}
			if (const auto why = wrong(*text); !why.empty()) {
				refuse(item, fmt::format("{}: \"{}\" {}", key, *text, why));
				return;
			}
			got.push_back(*text);
		}
		value = std::move(got);
	}

	/// The one table `key`.
	void table(const char *key, const std::function<void(Table &)> &read)
	{
		const auto *node = find(key);
		if (node == nullptr)
			return;
		const auto *table = node->as_table();
		if (table == nullptr) {
			refuse(*node, fmt::format("{0} is not a table; its keys stand below [{0}]", key));
			return;
		}
		read_below(*table, read);
	}

	/// The tables below `key`, each by its name.
	void tables(const char *key, const std::function<void(const std::string &, Table &)> &read)
	{
		const auto *node = find(key);
		if (node == nullptr)
			return;
		const auto *all = node->as_table();
		if (all == nullptr) {
			refuse(*node, fmt::format("{0} is not a table; write [{0}.\"NAME\"]", key));
			return;
		}
		for (const auto &[name, below] : *all) {
			const auto *table = below.as_table();
			if (table == nullptr) {
				refuse(below,
				       fmt::format("{0}.{1} is not a table; its keys stand below [{0}.\"{1}\"]",
				                   key, name.str()));
				return;
			}
			read_below(*table, [&](Table &reader) { read(std::string(name.str()), reader); });
		}
	}

	/// The first error, or that of a key that was not asked for.
	[[nodiscard]] Result<void> done() const
	{
		if (error_)
			return std::unexpected(*error_);
		for (const auto &[key, value] : table_) {
			const std::string_view name = key.str();
			if (std::find(known_.begin(), known_.end(), name) != known_.end())
				continue;
			const auto nearest =
			    *std::min_element(known_.begin(), known_.end(), [&](const auto &a, const auto &b) {
				    return distance(name, a) < distance(name, b);
			    });
			return fail_at(path_, key.source(),
			               fmt::format(R"(unknown key "{}"; did you mean "{}"? There are: {})",
			                           name, nearest, fmt::join(known_, ", ")));
		}
		return {};
	}

private:
	void read_below(const toml::table &table, const std::function<void(Table &)> &read)
	{
		Table reader(path_, table);
		read(reader);
		if (const auto done = reader.done(); !done && !error_)
			error_ = done.error();
	}

	const std::filesystem::path &path_;
	const toml::table &table_;
	std::vector<std::string> known_;
	std::optional<Error> error_;
};

/// What is wrong with a pattern, or nothing. fnmatch(3) takes every pattern, and one that is
/// spoiled then matches nothing.
std::string wrong_pattern(const std::string &pattern)
{
	if (pattern.empty())
		return "matches nothing";
	for (size_t i = 0; i < pattern.size(); i++) {
		if (pattern[i] == '\\') {
			i++;
			if (i == pattern.size())
				return "ends with a backslash, which must stand before something";
		} else if (pattern[i] == '[') {
			i = pattern.find(']', i + 2);
			if (i == std::string::npos)
				return "has a [ without its ]";
		}
	}
	return "";
}

std::string wrong_module(const std::string &name)
{
	return name == "tpm_rng" || name == "cpu_rng" ? "" : "is none of: tpm_rng, cpu_rng";
}

/// The keys that make a source. A later file's command takes the place of a path, and the reverse.
void merge_generator(const std::string &name, Table &table, SourceConfig &source)
{
	constexpr unsigned fastest = 4'000'000;
	table.text("path", source.path);
	table.whole("speed", source.speed, 50, fastest, "baud");
	table.texts("command", source.command, [](const std::string &) { return ""; });
	const auto *path = table.find("path");
	const auto *command = table.find("command");
	const auto *made_by = path != nullptr ? path : command;
	if (made_by == nullptr)
		return;
	if (path != nullptr && command != nullptr)
		table.refuse(*command, "command: there is a path already; a source has one of them");
	else if (name.find_first_of("*?[\\") != std::string::npos)
		table.refuse(*made_by, fmt::format("\"{}\" is a pattern; a source that is made by its "
		                                   "path or command has a name",
		                                   name));
	else if (path != nullptr && !source.path.starts_with('/'))
		table.refuse(*path, fmt::format("path: \"{}\" does not begin with /", source.path));
	else if (command != nullptr && (source.command.empty() || source.command.front().empty()))
		table.refuse(*command, "command: give its name, and then its arguments");
	if (path != nullptr)
		source.command.clear();
	else
		source.path.clear();
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
	table.seconds("visit_interval", config.visit_interval, 1, day, true);
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
		merge_generator(name, of_source, source);
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

/// All files that there are, in the order in which they are read.
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

/// Writes one of the files in the folder, whole or not at all, and returns its path.
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

/// The pattern that matches this name alone.
std::string literally(const std::string &name)
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
			return fmt::format("egd.listen: {} takes tls_certificate, tls_key and tls_client_ca",
			                   text_of(address));
		if (!address.tls && !address.is_local() && !egd.plaintext)
			return fmt::format("egd.listen: {} can be reached from other machines, and everybody "
			                   "on the way could read what is sent: use tls: instead of tcp:, or "
			                   "say `plaintext = true` if that network is trusted",
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
		addresses.push_back(*parse_listen_address(text)); // as each file was told already
	if (auto wrong = wrong_listeners(config.egd, addresses); !wrong.empty())
		return fail(ExitCode::usage, std::move(wrong));
	return config;
}

Result<std::filesystem::path> write_assessed(const Root &root, const std::string &source,
                                             unsigned assessed)
{
	std::string file = source; // a name of the kernel may have any character
	for (char &c : file)
		if (c == '/' || c <= ' ')
			c = '_';
	std::ostringstream text;
	text << "# Written by `hwrngctl assess --source " << file << " --save`. Remove this file to\n"
	     << "# credit the source with half of what it claims, whatever it was assessed to have.\n"
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
			            fmt::format("{} says otherwise, and is read after {}: change `prefer` and "
			                        "`rng_current` there",
			                        root.at(file).string(), root.at(selected_file).string()));
	}
	std::ostringstream text;
	text << "# Written by `hwrngctl select --persist`; `hwrngctl select --persist auto` removes "
	        "it.\n"
	     << toml::table{{"rng_current", "hold"}, {"prefer", toml::array{literally(name)}}} << "\n";
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
