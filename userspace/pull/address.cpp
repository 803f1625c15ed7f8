// SPDX-License-Identifier: GPL-2.0-or-later
#include "pull/address.h"

#include "listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace hwrngd {

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

/// The host as a name, or as an address in numbers.
Result<std::string> host_of(HostAndPort at)
{
	struct in6_addr v6 = {};
	if (at.brackets && inet_pton(AF_INET6, at.host.c_str(), &v6) != 1)
		return fail(ExitCode::usage, "has no address of IPv6 in its brackets, as [2001:db8::1]");
	if (!at.brackets && !is_name(at.host))
		return fail(ExitCode::usage, "has no host: give a name, an address of IPv4 (192.0.2.1), "
		                             "or one of IPv6 in brackets ([2001:db8::1])");
	return std::move(at.host);
}

} // namespace

bool is_name(std::string_view text)
{
	const auto is_letter = [&](char c) { return letters.contains(c) || digits.contains(c); };
	return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char c) {
		return is_letter(c) || std::string_view("-_.").contains(c);
	});
}

Result<EgdAddress> parse_egd_address(const std::string &text)
{
	auto place = split_place(text);
	if (!place)
		return std::unexpected(place.error());
	EgdAddress address;
	address.tls = place->tls;
	address.path = std::move(place->path);
	address.port = place->at.port;
	if (!address.path.empty())
		return address;
	auto host = host_of(std::move(place->at));
	if (!host)
		return std::unexpected(host.error());
	address.host = std::move(*host);
	return address;
}

Result<SshAddress> parse_ssh_address(const std::string &text)
{
	SshAddress address;
	const auto end = text.find('@');
	if (end == std::string::npos || !is_name(std::string_view(text).substr(0, end)))
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
	address.port = at->port;
	auto host = host_of(std::move(*at));
	if (!host)
		return std::unexpected(host.error());
	address.host = std::move(*host);
	return address;
}

} // namespace hwrngd
