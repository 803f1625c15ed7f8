// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd-pull: requests random bytes from another machine and prints them for as long as they are
// read. hwrngd starts it like a configured command. So data from the network is parsed here, in a
// process without any rights, and the daemon gets only bytes.
#include "base/interrupt.h"
#include "base/log.h"
#include "base/privileges.h"
#include "egd/egd_peer.h"
#include "pull/pull_arguments.h"
#include "pull/pump.h"
#include "pull/ssh_peer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace hwrngd {

namespace {

/// Makes links over TLS from the files of the authorities and, if given, the certificate and key.
Result<LinkTo> tls_of(const std::string &host, const PullArguments::Egd &egd)
{
	constexpr std::array keys{"tls_ca", "tls_certificate", "tls_key"};
	const std::array paths{egd.tls_ca, egd.tls_certificate, egd.tls_key};
	std::vector<SecretBuffer> texts;
	texts.reserve(paths.size());
	std::array<PemFile, 3> files;
	for (size_t i = 0; i < files.size(); i++) {
		if (paths.at(i).empty())
			continue;
		const FileDescriptor file(::open(paths.at(i).c_str(), O_RDONLY | O_CLOEXEC));
		const auto what = fmt::format("{}: {}", keys.at(i), paths.at(i));
		auto text = file ? read_pem(file, what) : fail_errno(errno, what);
		if (!text)
			return std::unexpected(text.error());
		texts.push_back(std::move(*text));
		files.at(i) = {paths.at(i), texts.back().span()};
	}
	return reach_tls(files[0], files[1], files[2], host);
}

std::unexpected<Error> wrong_address(const std::string &address, const Error &error)
{
	return fail(error.code, fmt::format("\"{}\" {}", address, error.message));
}

Result<std::unique_ptr<Peer>> peer_of(const PullArguments &arguments)
{
	if (const auto *egd = std::get_if<PullArguments::Egd>(&arguments.peer)) {
		const auto address = parse_egd_address(egd->address);
		if (!address)
			return wrong_address(egd->address, address.error());
		Result<LinkTo> links = plain_link;
		if (address->tls)
			links = tls_of(address->host, *egd);
		if (!links)
			return std::unexpected(links.error());
		return egd_peer(*address, std::move(*links));
	}
	const auto &ssh = std::get<PullArguments::Ssh>(arguments.peer);
	const auto address = parse_ssh_address(ssh.address);
	if (!address)
		return wrong_address(ssh.address, address.error());
	return ssh_peer(*address, ssh.identity, ssh.known_hosts);
}

Result<void> run(const std::vector<std::string> &words)
{
	const auto arguments = PullArguments::from_words(words);
	if (!arguments)
		return std::unexpected(arguments.error());
	const auto &name = arguments->name;
	if (auto forbidden = forbid_gaining_rights(); !forbidden)
		return forbidden;
	// Lets this process close its connections of ssh(1) before it exits.
	if (auto caught = catch_interrupts(); !caught)
		return caught;
	const auto named = [&](const Error &error) {
		return name.empty() ? error.message : fmt::format("{}: {}", name, error.message);
	};
	const auto peer = peer_of(*arguments);
	if (!peer)
		return std::unexpected(Error{peer.error().code, named(peer.error()), peer.error().number});
	return pump(**peer, STDOUT_FILENO, {}, [&](const Error *error) {
		const Fields fields = {{"HWRNGD_SOURCE", name}};
		if (error == nullptr)
			log(Priority::info, Event::peer_changed, fmt::format("{}: it gives bytes again", name),
			    fields);
		else
			log(Priority::warning, Event::peer_changed,
			    fmt::format("{}; hwrngd-pull tries again", named(*error)), fields);
	});
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	std::signal(SIGPIPE, SIG_IGN);
	const auto words = std::span(argv, static_cast<size_t>(argc)).subspan(argc > 0 ? 1 : 0);
	const auto done = run({words.begin(), words.end()});
	if (done)
		return 0;
	log(Priority::error, Event::peer_changed, done.error().message);
	return static_cast<int>(done.error().code);
} catch (const std::exception &error) {
	std::fputs("hwrngd-pull: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return 1;
}
