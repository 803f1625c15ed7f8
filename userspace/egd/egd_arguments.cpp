// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_arguments.h"

#include "base/number.h"

namespace hwrngd {

namespace {

std::unexpected<Error> wrong(const std::string &why)
{
	return fail(ExitCode::usage,
	            "hwrngd starts hwrngd-egd if its configuration has a table [egd] (see "
	            "hwrngd.conf(5)): " +
	                why);
}

} // namespace

std::vector<std::string> EgdArguments::to_words() const
{
	return {kinds,
	        std::to_string(max_clients),
	        std::to_string(max_clients_per_address),
	        std::to_string(bytes_per_second),
	        std::to_string(total_bytes_per_second),
	        std::to_string(idle.count()),
	        tls_certificate,
	        tls_key,
	        tls_client_ca};
}

Result<EgdArguments> EgdArguments::from_words(std::span<const std::string> words)
{
	constexpr size_t count = 9;
	if (words.size() != count)
		return wrong(fmt::format("it needs {} arguments, not {}", count, words.size()));
	if (words[0].find_first_not_of("ptn") != std::string::npos)
		return wrong(
		    fmt::format("kinds: \"{}\" may only consist of the letters p, t and n", words[0]));
	const auto clients = require_number<unsigned>("max_clients", words[1]);
	if (!clients)
		return wrong(clients.error().message);
	const auto per_address = require_number<unsigned>("max_clients_per_address", words[2]);
	if (!per_address)
		return wrong(per_address.error().message);
	const auto rate = require_number<uint64_t>("bytes_per_second", words[3]);
	if (!rate)
		return wrong(rate.error().message);
	const auto total_rate = require_number<uint64_t>("total_bytes_per_second", words[4]);
	if (!total_rate)
		return wrong(total_rate.error().message);
	const auto idle = require_number<std::chrono::milliseconds::rep>("idle", words[5]);
	if (!idle)
		return wrong(idle.error().message);
	return EgdArguments{.kinds = words[0],
	                    .max_clients = *clients,
	                    .max_clients_per_address = *per_address,
	                    .bytes_per_second = *rate,
	                    .total_bytes_per_second = *total_rate,
	                    .idle = std::chrono::milliseconds(*idle),
	                    .tls_certificate = words[6],
	                    .tls_key = words[7],
	                    .tls_client_ca = words[8]};
}

} // namespace hwrngd
