// SPDX-License-Identifier: GPL-2.0-or-later
// Pulls bytes over SSH like the daemon's source. Each line of standard input, "BYTES MILLISECONDS",
// is one pull. The output has a line for each: "ok MILLISECONDS HEX" or "error MILLISECONDS WHY".
#include "pull/ssh_peer.h"

#include <array>
#include <chrono>
#include <iostream>
#include <span>
#include <string>

int main(int argc, char **argv)
{
	using namespace hwrngd;
	const std::span words(argv, static_cast<size_t>(argc));
	if (words.size() != 4) {
		std::cerr << "usage: ssh_pull USER@HOST[:PORT] IDENTITY KNOWN_HOSTS\n";
		return 2;
	}
	const auto address = parse_ssh_address(words[1]);
	auto peer = address ? ssh_peer(*address, words[2], words[3])
	                    : Result<std::unique_ptr<Peer>>(std::unexpected(address.error()));
	if (!peer) {
		std::cerr << peer.error().message << "\n";
		return 2;
	}
	size_t bytes = 0;
	int limit = 0;
	while (std::cin >> bytes >> limit) {
		std::array<uint8_t, Peer::most_at_once> out{};
		const auto begin = std::chrono::steady_clock::now();
		const auto got =
		    (*peer)->pull(std::span(out).first(bytes), std::chrono::milliseconds(limit));
		const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
		                      std::chrono::steady_clock::now() - begin)
		                      .count();
		std::string hex;
		for (const auto byte : std::span(out).first(got ? *got : 0))
			hex += fmt::format("{:02x}", byte);
		std::cout << (got ? "ok " : "error ") << took << " " << (got ? hex : got.error().message)
		          << std::endl;
	}
}
