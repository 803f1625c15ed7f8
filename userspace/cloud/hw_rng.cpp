// SPDX-License-Identifier: GPL-2.0-or-later
#include "cloud/hw_rng.h"

#include "base/shell_word.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace hwrngd {

namespace {

constexpr const char *allowed_key = "hw_rng:allowed";
constexpr unsigned ussuri = 87;

std::string_view stripped(std::string_view text)
{
	const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
	while (!text.empty() && is_space(text.front()))
		text.remove_prefix(1);
	while (!text.empty() && is_space(text.back()))
		text.remove_suffix(1);
	return text;
}

/// Like bool_from_string() of oslo.utils, which Nova uses: any other text is false.
bool is_true(std::string_view text)
{
	std::string lower(stripped(text));
	std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
	static constexpr std::array words{"1", "t", "true", "on", "y", "yes"};
	return std::ranges::find(words, lower) != words.end();
}

/// Would Python's int() accept it? Only forms that people are likely to write are covered.
bool is_number(std::string_view text)
{
	text = stripped(text);
	if (text.starts_with('+') || text.starts_with('-'))
		text.remove_prefix(1);
	return !text.empty() &&
	       std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

} // namespace

bool adds_rng_by_itself(std::optional<unsigned> microversion)
{
	return !microversion || *microversion >= ussuri;
}

HwRng hw_rng_of(const Flavor &flavor, std::optional<unsigned> microversion)
{
	if (!flavor.specs_known)
		return {.found = "not shown to this user",
		        .why = "Nova's policy hides this flavor's extra specs from this user",
		        .remedy = "ask as an admin"};
	HwRng rng;
	const auto found = flavor.extra_specs.find(allowed_key);
	const bool absent = found == flavor.extra_specs.end();
	rng.found = absent ? "absent" : found->second;
	rng.literal = !absent && found->second == "True";
	if (absent) {
		const bool by_itself = adds_rng_by_itself(microversion);
		rng.effect = by_itself ? Effect::yes : Effect::no;
		rng.why = by_itself ? "since Ussuri, Nova treats absent as true"
		                    : "this Nova is older than Ussuri and treats absent as false";
	} else if (is_true(found->second)) {
		rng.effect = Effect::yes;
		if (!rng.literal)
			rng.why = "Nova treats it as true";
	} else {
		rng.effect = Effect::no;
		rng.why = "Nova treats it as false";
	}
	if (rng.effect == Effect::yes) {
		const auto rate = flavor.extra_specs.find("hw_rng:rate_bytes");
		const auto period = flavor.extra_specs.find("hw_rng:rate_period");
		const auto wrong = [&](auto spec) {
			return spec != flavor.extra_specs.end() && !is_number(spec->second);
		};
		// Nova reads the period only if there is a rate.
		if (rate != flavor.extra_specs.end() && !rate->second.empty())
			for (const auto &spec : {rate, period})
				if (wrong(spec)) {
					rng.effect = Effect::no;
					rng.why = spec->first +
					          " is not a number, so no server of this flavor starts: \"" +
					          spec->second + "\"";
					rng.remedy = "openstack flavor unset --property " + spec->first + " " +
					             for_shell(flavor.id);
					return rng;
				}
	}
	if (!rng.literal)
		rng.remedy = std::string("openstack flavor set --property ") + allowed_key + "=True " +
		             for_shell(flavor.id);
	return rng;
}

HwRng hw_rng_of(const Image &image, std::optional<unsigned> microversion)
{
	HwRng rng;
	rng.found = image.rng_model.value_or("absent");
	rng.literal = image.rng_model == "virtio";
	if (rng.literal) {
		rng.effect = Effect::yes;
	} else if (!image.rng_model) {
		const bool by_itself = adds_rng_by_itself(microversion);
		rng.effect = by_itself ? Effect::yes : Effect::no;
		rng.why = by_itself ? "since Ussuri, Nova adds a virtio RNG without it"
		                    : "this Nova is older than Ussuri and adds an RNG only with it";
	} else {
		rng.effect = Effect::no;
		rng.why = "Nova knows only \"virtio\", and starts no server from this image";
	}
	if (!rng.literal)
		rng.remedy = "openstack image set --property hw_rng_model=virtio " + for_shell(image.id);
	return rng;
}

} // namespace hwrngd
