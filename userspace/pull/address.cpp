// SPDX-License-Identifier: GPL-2.0-or-later
#include "pull/address.h"

#include "listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string_view>
#include <utility>

namespace hwrngd {

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

/// A name, of letters, digits and `more`, that begins with a letter or a digit: nobody shall take
/// it for an option.
bool is_name(std::string_view text, std::string_view more)
{
	const auto is_letter = [&](char c) { return letters.contains(c) || digits.contains(c); };
	if (text.empty() || !is_letter(text.front()))
		return false;
	for (const char c : text)
		if (!is_letter(c) && !more.contains(c))
			return false;
	return true;
}

/// What is wrong with a host, or nothing.
const char *wrong_host(const HostAndPort &at)
{
	struct in6_addr v6 = {};
	if (at.brackets && inet_pton(AF_INET6, at.host.c_str(), &v6) != 1)
		return "has no address of IPv6 in its brackets, as [2001:db8::1]";
	if (!at.brackets && !is_name(at.host, ".-_"))
		return "has no host: give a name, an address of IPv4 (192.0.2.1), or one of IPv6 in "
		       "brackets ([2001:db8::1])";
	return nullptr;
}

} // namespace

Result<EgdAddress> parse_egd_address(const std::string &text)
{
	constexpr std::string_view local = "unix:";
	constexpr std::string_view tcp = "tcp:";
	constexpr std::string_view tls = "tls:";
	EgdAddress address;
	if (text.starts_with(local)) {
		address.path = text.substr(local.size());
		if (!address.path.starts_with('/'))
			return fail(ExitCode::usage, "has no path that begins with /");
		return address;
	}
	address.tls = text.starts_with(tls);
	if (!address.tls && !text.starts_with(tcp))
		return fail(ExitCode::usage, "is none of tcp:HOST:PORT, tls:HOST:PORT, unix:/PATH");
	auto at = split_port(text.substr(tcp.size()));
	if (!at)
		return std::unexpected(at.error());
	if (const auto *wrong = wrong_host(*at))
		return fail(ExitCode::usage, wrong);
	address.host = std::move(at->host);
	address.port = at->port;
	return address;
}

Result<SshAddress> parse_ssh_address(const std::string &text)
{
	SshAddress address;
	const auto end = text.find('@');
	if (end == std::string::npos || !is_name(std::string_view(text).substr(0, end), ".-_"))
		return fail(ExitCode::usage, "is none of USER@HOST, USER@HOST:PORT");
	address.user = text.substr(0, end);
	auto rest = text.substr(end + 1);
	// A colon in brackets is the address's own.
	if (const auto colon = rest.rfind(':');
	    colon == std::string::npos || rest.find(']', colon) != std::string::npos)
		rest += fmt::format(":{}", address.port);
	auto at = split_port(rest);
	if (!at)
		return std::unexpected(at.error());
	if (const auto *wrong = wrong_host(*at))
		return fail(ExitCode::usage, wrong);
	address.host = std::move(at->host);
	address.port = at->port;
	return address;
}

} // namespace hwrngd
