// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "pool/credit.h"
#include "write_file.h"

#include <sstream>

#include <toml++/toml.h>

namespace hwrngd {

namespace {

constexpr const char *main_file = "/etc/hwrngd.conf";
constexpr const char *folder = "/etc/hwrngd.conf.d";

std::unexpected<Error> fail_at(const std::filesystem::path &path, const toml::source_region &where,
                               const std::string &what)
{
	return fail(ExitCode::usage, fmt::format("{}, line {}: {}", path.string(),
	                                         static_cast<unsigned>(where.begin.line), what));
}

Result<void> merge_source(const std::filesystem::path &path, const toml::table &table,
                          SourceConfig &source)
{
	for (const auto &[key, value] : table) {
		if (key.str() != "assessed")
			return fail_at(path, value.source(),
			               fmt::format("unknown key \"{}\"; a source has: assessed", key.str()));
		const auto number = value.value_exact<int64_t>();
		if (!number || *number < 0 || *number > full_quality)
			return fail_at(path, value.source(),
			               fmt::format("assessed: give a whole number of bits in {0}, 0 to {0}",
			                           full_quality));
		source.assessed = static_cast<unsigned>(*number);
	}
	return {};
}

Result<void> merge(const std::filesystem::path &path, const toml::table &document, Config &config)
{
	for (const auto &[key, value] : document) {
		const auto *sources = value.as_table();
		if (key.str() != "source" || sources == nullptr)
			return fail_at(
			    path, value.source(),
			    fmt::format(R"(unknown key "{}"; there is: [source."NAME"])", key.str()));
		for (const auto &[name, settings] : *sources) {
			const auto *table = settings.as_table();
			if (table == nullptr)
				return fail_at(path, settings.source(),
				               fmt::format("source.{0} is not a table; a source's keys stand below "
				                           "[source.\"{0}\"]",
				                           name.str()));
			auto merged = merge_source(path, *table, config.sources[std::string(name.str())]);
			if (!merged)
				return merged;
		}
	}
	return {};
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

} // namespace

unsigned Config::credit_bound(const std::string &source) const
{
	const auto found = sources.find(source);
	return found == sources.end() ? full_quality : found->second.assessed.value_or(full_quality);
}

Result<Config> read_config(const Root &root)
{
	std::vector<std::string> names;
	if (root.exists(main_file))
		names.emplace_back(main_file);
	for (const auto &name : root.list(folder))
		if (name.ends_with(".conf") && !name.starts_with("."))
			names.push_back(fmt::format("{}/{}", folder, name));
	Config config;
	for (const auto &name : names)
		if (auto merged = merge_file(root, name, config); !merged)
			return std::unexpected(merged.error());
	return config;
}

Result<std::filesystem::path> write_assessed(const Root &root, const std::string &source,
                                             unsigned assessed)
{
	std::string file = source; // a name of the kernel may have any character
	for (char &c : file)
		if (c == '/' || c <= ' ')
			c = '_';
	auto path = root.at(fmt::format("{}/assessed-{}.conf", folder, file));
	std::error_code error;
	std::filesystem::create_directories(path.parent_path(), error);
	if (error)
		return fail_errno(error.value(), path.parent_path().string());
	std::ostringstream text;
	text << "# Written by `hwrngctl assess --source " << file << " --save`. Remove this file to\n"
	     << "# credit the source with half of what it claims, whatever it was assessed to have.\n"
	     << toml::table{{"source", toml::table{{source, toml::table{{"assessed", assessed}}}}}}
	     << "\n";
	if (auto written = write_file(path, text.str()); !written)
		return std::unexpected(written.error());
	return path;
}

} // namespace hwrngd
