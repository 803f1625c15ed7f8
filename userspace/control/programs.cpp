// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/programs.h"

#include "base/address.h"

#include <system_error>

namespace hwrngd {

Result<std::filesystem::path> own_folder()
{
	std::error_code failed;
	const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
	if (failed)
		return fail_errno(failed.value(), "/proc/self/exe");
	return self.parent_path();
}

std::filesystem::path hidden_program(const std::filesystem::path &folder, const std::string &name)
{
	std::error_code ignored; // it is not there, then
	const auto beside = folder / name;
	return std::filesystem::exists(beside, ignored) ? beside : folder / "../libexec" / name;
}

std::vector<std::string> words_of(const Root &root, const std::filesystem::path &folder,
                                  const std::string &name, const SourceConfig &source)
{
	if (!source.command.empty())
		return source.command;
	const auto file = [&](const std::string &path) {
		return path.empty() ? "" : root.at(path).string();
	};
	// main() of hwrngd_pull.cpp has the same lists.
	const auto pull = hidden_program(folder, "hwrngd-pull").string();
	if (!source.egd.empty()) {
		const auto address = parse_egd_address(source.egd);
		const bool local = address && !address->path.empty();
		return {pull,
		        name,
		        "egd",
		        local ? "unix:" + file(address->path) : source.egd,
		        file(source.tls_ca),
		        file(source.tls_certificate),
		        file(source.tls_key)};
	}
	if (!source.ssh.empty())
		return {pull,
		        name,
		        "ssh",
		        source.ssh,
		        file(source.identity.empty() ? usual_identity : source.identity),
		        file(source.known_hosts.empty() ? usual_known_hosts : source.known_hosts)};
	return {};
}

} // namespace hwrngd
