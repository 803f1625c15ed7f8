// SPDX-License-Identifier: GPL-2.0-or-later
#include "pull/pull_arguments.h"

#include <string_view>

namespace hwrngd {

namespace {

// The second word, behind the source's name; the words of the peer follow.
constexpr std::string_view by_egd = "egd";
constexpr std::string_view by_ssh = "ssh";
constexpr size_t before_peer = 2;

std::unexpected<Error> wrong(const std::string &why)
{
	return fail(ExitCode::usage, "hwrngd-pull is started by hwrngd, as the `egd` or `ssh` of a "
	                             "source says (see hwrngd.conf(5)): " +
	                                 why);
}

std::unexpected<Error> wrong_count(std::string_view kind, size_t wanted, size_t given)
{
	return wrong(fmt::format("`{}` takes {} arguments, not {}", kind, wanted, given));
}

} // namespace

std::vector<std::string> PullArguments::to_words() const
{
	if (const auto *egd = std::get_if<Egd>(&peer))
		return {name,        std::string(by_egd),  egd->address,
		        egd->tls_ca, egd->tls_certificate, egd->tls_key};
	const auto &ssh = std::get<Ssh>(peer);
	return {name, std::string(by_ssh), ssh.address, ssh.identity, ssh.known_hosts};
}

Result<PullArguments> PullArguments::from_words(std::span<const std::string> words)
{
	constexpr size_t egd_words = 4;
	constexpr size_t ssh_words = 3;
	if (words.size() < before_peer)
		return wrong("a source's name and `egd` or `ssh` are missing");
	const auto &name = words[0];
	const auto &kind = words[1];
	const auto rest = words.subspan(before_peer);
	if (kind == by_egd) {
		if (rest.size() != egd_words)
			return wrong_count(kind, egd_words, rest.size());
		return PullArguments{name, Egd{.address = rest[0],
		                               .tls_ca = rest[1],
		                               .tls_certificate = rest[2],
		                               .tls_key = rest[3]}};
	}
	if (kind == by_ssh) {
		if (rest.size() != ssh_words)
			return wrong_count(kind, ssh_words, rest.size());
		return PullArguments{name,
		                     Ssh{.address = rest[0], .identity = rest[1], .known_hosts = rest[2]}};
	}
	return wrong(fmt::format("\"{}\" is neither `egd` nor `ssh`", kind));
}

} // namespace hwrngd
