// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/address.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace hwrngd {

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

/// The host: a name or a numeric address.
Result<std::string> host_of(HostAndPort at)
{
	struct in6_addr v6 = {};
	if (at.brackets && inet_pton(AF_INET6, at.host.c_str(), &v6) != 1)
		return fail(ExitCode::usage, "has no IPv6 address in its brackets: write [2001:db8::1]");
	if (!at.brackets && !is_name(at.host))
		return fail(ExitCode::usage, "has no host: give a name, an IPv4 address (192.0.2.1), or an "
		                             "IPv6 address in brackets ([2001:db8::1])");
	return std::move(at.host);
}

} // namespace

bool ListenAddress::is_local() const
{
	if (!path.empty())
		return true;
	constexpr uint8_t loopback_net = 127;
	if (ip.size() == sizeof(struct in_addr))
		return ip.front() == loopback_net;
	struct in6_addr v6 = {};
	std::memcpy(&v6, ip.data(), std::min(ip.size(), sizeof v6));
	return IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<HostAndPort> split_port(const std::string &text)
{
	const auto colon = text.rfind(':');
	const auto port = parse_number<uint16_t>(
	    colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1));
	if (!port || *port == 0)
		return fail(ExitCode::usage, "does not end with a port: add one of :1 to :65535");
	HostAndPort at{.host = text.substr(0, colon), .brackets = false, .port = *port};
	at.brackets = at.host.size() >= 2 && at.host.starts_with('[') && at.host.ends_with(']');
	if (at.brackets)
		at.host = at.host.substr(1, at.host.size() - 2);
	return at;
}

Result<EgdPlace> split_place(const std::string &text)
{
	constexpr std::string_view local = "unix:";
	constexpr std::string_view tcp = "tcp:";
	constexpr std::string_view tls = "tls:";
	EgdPlace place;
	if (text.starts_with(local)) {
		place.path = text.substr(local.size());
		if (!place.path.starts_with('/'))
			return fail(ExitCode::usage, "has no absolute path: write unix:/PATH");
		return place;
	}
	place.tls = text.starts_with(tls);
	if (!place.tls && !text.starts_with(tcp))
		return fail(ExitCode::usage, "is not unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT");
	auto at = split_port(text.substr(tcp.size()));
	if (!at)
		return std::unexpected(at.error());
	place.at = std::move(*at);
	return place;
}

Result<ListenAddress> parse_listen_address(const std::string &text)
{
	auto place = split_place(text);
	if (!place)
		return std::unexpected(place.error());
	ListenAddress address;
	address.tls = place->tls;
	address.path = std::move(place->path);
	if (!address.path.empty())
		return address;
	const auto &at = place->at;
	address.port = at.port;
	address.ip.resize(at.brackets ? sizeof(struct in6_addr) : sizeof(struct in_addr));
	if (inet_pton(at.brackets ? AF_INET6 : AF_INET, at.host.c_str(), address.ip.data()) != 1)
		return fail(ExitCode::usage, "has no numeric address: give IPv4 (192.0.2.1), or IPv6 in "
		                             "brackets ([2001:db8::1])");
	return address;
}

std::string text_of(const ListenAddress &address)
{
	if (!address.path.empty())
		return "unix:" + address.path;
	std::array<char, INET6_ADDRSTRLEN> host{};
	const bool v6 = address.ip.size() == sizeof(struct in6_addr);
	if (inet_ntop(v6 ? AF_INET6 : AF_INET, address.ip.data(), host.data(), host.size()) == nullptr)
		return "?";
	return fmt::format(fmt::runtime(v6 ? "{}:[{}]:{}" : "{}:{}:{}"), address.tls ? "tls" : "tcp",
	                   host.data(), address.port);
}

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
		return fail(ExitCode::usage, "is not USER@HOST or USER@HOST:PORT");
	address.user = text.substr(0, end);
	auto rest = text.substr(end + 1);
	// A colon inside brackets is part of the IPv6 address.
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
