// SPDX-License-Identifier: GPL-2.0-or-later
#include "cloud/yaml_file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace hwrngd {

namespace {

/// Applies the merge keys of all tables (yaml.org/type/merge.html), since yaml-cpp does not.
void take_merged(YAML::Node node, unsigned depth = 0)
{
	constexpr unsigned most = 32; // a table that contains itself would never end
	if (depth > most)
		throw YAML::RepresentationException(node.Mark(), "it is nested too deeply");
	if (!node.IsMap())
		return;
	for (const auto &entry : node)
		take_merged(entry.second, depth + 1);
	const YAML::Node merged = node["<<"];
	if (!merged)
		return;
	const auto take = [&](const YAML::Node &other) {
		if (!other.IsMap())
			throw YAML::RepresentationException(merged.Mark(), "<< does not name a table");
		take_merged(other, depth + 1);
		for (const auto &entry : other)
			if (!node[entry.first.Scalar()])
				node[entry.first.Scalar()] = entry.second;
	};
	node.remove("<<");
	if (merged.IsSequence())
		std::ranges::for_each(merged, take);
	else
		take(merged);
}

} // namespace

std::string line_of(const std::filesystem::path &path, const YAML::Mark &mark)
{
	return fmt::format("{}, line {}", path.string(), mark.line + 1);
}

Result<YamlFile> read_yaml(const std::filesystem::path &path)
{
	try {
		YamlFile file{.path = path, .root = YAML::LoadFile(path.string())};
		take_merged(file.root);
		if (file.root && !file.root.IsMap() && !file.root.IsNull())
			return fail(ExitCode::usage, fmt::format("{}: it is not a table of keys and values",
			                                         line_of(path, file.root.Mark())));
		return file;
	} catch (const YAML::BadFile &) {
		const int number = errno;
		return std::unexpected(Error{ExitCode::usage,
		                             fmt::format("{}: it cannot be read: {}", path.string(),
		                                         std::generic_category().message(number)),
		                             number});
	} catch (const YAML::Exception &error) {
		// After a colon yaml-cpp quotes the file: in `password: *secret`, the secret.
		return fail(ExitCode::usage, fmt::format("{}: {}", line_of(path, error.mark),
		                                         error.msg.substr(0, error.msg.find(':'))));
	}
}

} // namespace hwrngd
