// SPDX-License-Identifier: GPL-2.0-or-later
#include "cloud/openstack_arguments.h"

#include "base/number.h"

#include <array>
#include <string_view>

namespace hwrngd {

namespace {

/// The words for false and true.
using Pair = std::array<std::string_view, 2>;
constexpr Pair outputs{"text", "json"};
constexpr Pair amounts{"wanting", "all"};
constexpr Pair verifications{"verify", "insecure"};

std::string word_of(const Pair &pair, bool value)
{
	return std::string(pair.at(value ? 1 : 0));
}

std::unexpected<Error> wrong(const std::string &why)
{
	return fail(ExitCode::usage, "`hwrngctl check openstack` starts hwrngd-openstack: " + why);
}

Result<bool> is_second(const Pair &pair, const std::string &word)
{
	if (word != pair[0] && word != pair[1])
		return wrong(fmt::format("\"{}\" is neither {} nor {}", word, pair[0], pair[1]));
	return word == pair[1];
}

} // namespace

std::vector<std::string> OpenStackArguments::to_words() const
{
	return {word_of(outputs, json),
	        word_of(amounts, all),
	        cloud.cloud,
	        cloud.region,
	        cloud.interface,
	        cloud.ca_file,
	        word_of(verifications, cloud.insecure),
	        std::to_string(timeout)};
}

Result<OpenStackArguments> OpenStackArguments::from_words(std::span<const std::string> words)
{
	constexpr size_t count = 8;
	if (words.size() != count)
		return wrong(fmt::format("it needs {} arguments, not {}", count, words.size()));
	const auto json = is_second(outputs, words[0]);
	if (!json)
		return std::unexpected(json.error());
	const auto all = is_second(amounts, words[1]);
	if (!all)
		return std::unexpected(all.error());
	const auto insecure = is_second(verifications, words[6]);
	if (!insecure)
		return std::unexpected(insecure.error());
	const auto timeout = require_number<unsigned>("timeout", words[7], 1);
	if (!timeout)
		return wrong(timeout.error().message);
	return OpenStackArguments{.json = *json,
	                          .all = *all,
	                          .cloud = {.cloud = words[2],
	                                    .region = words[3],
	                                    .interface = words[4],
	                                    .ca_file = words[5],
	                                    .insecure = *insecure},
	                          .timeout = *timeout};
}

} // namespace hwrngd
