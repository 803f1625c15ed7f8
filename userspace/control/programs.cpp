// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/programs.h"

#include "base/address.h"
#include "pull/pull_arguments.h"

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
	std::error_code ignored; // on an error, it does not exist there
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
	const auto pull = [&](const PullArguments &arguments) {
		auto words = arguments.to_words();
		words.insert(words.begin(), hidden_program(folder, "hwrngd-pull").string());
		return words;
	};
	if (!source.egd.empty()) {
		const auto address = parse_egd_address(source.egd);
		const bool local = address && !address->path.empty();
		return pull(
		    {name, PullArguments::Egd{.address = local ? "unix:" + file(address->path) : source.egd,
		                              .tls_ca = file(source.tls_ca),
		                              .tls_certificate = file(source.tls_certificate),
		                              .tls_key = file(source.tls_key)}});
	}
	if (!source.ssh.empty())
		return pull(
		    {name, PullArguments::Ssh{
		               .address = source.ssh,
		               .identity = file(source.identity.empty() ? usual_identity : source.identity),
		               .known_hosts = file(source.known_hosts.empty() ? usual_known_hosts
		                                                              : source.known_hosts)}});
	return {};
}

} // namespace hwrngd
