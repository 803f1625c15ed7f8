// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/sample.h"

#include "base/interrupt.h"
#include "base/json_object.h"
#include "base/secret_buffer.h"
#include "command/progress.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

namespace hwrngd {

bool ends(const std::string &file)
{
	struct stat status = {};
	const int result = file == "-" ? fstat(STDIN_FILENO, &status) : stat(file.c_str(), &status);
	return result < 0 || !S_ISCHR(status.st_mode);
}

Result<Sample> test_blocks(Source &source, const SampleOptions &options, const BlockSink &sink)
{
	using namespace fips140_2;
	SecretBuffer buffer(std::max(options.blocks_a_read * block_bytes, bootstrap_bytes));
	Sample sample;
	Progress progress("Testing " + options.title);

	const auto bootstrap = fill(source, buffer.span().first(bootstrap_bytes));
	if (!bootstrap)
		return std::unexpected(bootstrap.error());
	sample.bytes_read = *bootstrap;
	if (*bootstrap < bootstrap_bytes)
		return sample;
	Tester tester(buffer.span().first<bootstrap_bytes>());

	while (!options.blocks || sample.fips.blocks < *options.blocks) {
		size_t wanted = options.blocks_a_read;
		if (options.blocks)
			wanted = static_cast<size_t>(
			    std::min<uint64_t>(wanted, *options.blocks - sample.fips.blocks));
		const auto have = fill(source, buffer.span().first(wanted * block_bytes));
		if (!have && have.error().code == ExitCode::interrupted)
			break;
		if (!have)
			return std::unexpected(have.error());
		sample.bytes_read += *have;
		for (size_t at = 0; at + block_bytes <= *have; at += block_bytes) {
			const auto block = buffer.span().subspan(at).first<block_bytes>();
			const uint8_t failed = tester.test(block);
			sample.fips.add(failed);
			sink(block, failed);
		}
		const auto failures = fmt::format("{} failed", sample.fips.failures);
		if (options.blocks)
			progress.update(static_cast<double>(sample.fips.blocks) /
			                    static_cast<double>(*options.blocks),
			                failures);
		else
			progress.update(fmt::format("block {}, {}", sample.fips.blocks, failures));
		if (*have < wanted * block_bytes)
			break;
	}
	return sample;
}

nlohmann::ordered_json to_json(const fips140_2::Statistics &fips)
{
	nlohmann::ordered_json document =
	    json_object({{"blocks", fips.blocks}, {"failures", fips.failures}});
	for (const auto test : fips140_2::all_tests) {
		std::string key = fips140_2::name(test);
		for (char &c : key)
			c = c == ' ' ? '_' : static_cast<char>(std::tolower(c));
		document[key] = fips.of(test);
	}
	return document;
}

std::string to_text(const fips140_2::Statistics &fips)
{
	auto text = fmt::format("{} of {} block{} failed", fips.failures, fips.blocks,
	                        fips.blocks == 1 ? "" : "s");
	std::string parts;
	for (const auto test : fips140_2::all_tests)
		if (fips.of(test) > 0)
			parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", fips140_2::name(test),
			                     fips.of(test));
	return parts.empty() ? text : text + " (" + parts + ")";
}

} // namespace hwrngd
