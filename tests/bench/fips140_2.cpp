// SPDX-License-Identifier: GPL-2.0-or-later
// Times the FIPS 140-2 tests in memory: the CPU seconds of each variant for 256 MiB, best variant
// first. For comparison it also times a plain sum of the same bytes, which is as fast as memory can
// be read. Prints lines "NAME SECONDS".
#include "health/fips140_2_count.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

using namespace hwrngd::fips140_2;

namespace {

constexpr size_t blocks = 256 * 1024 * 1024 / block_bytes;

double cpu_seconds()
{
	timespec now{};
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The minimum of five runs.
template <typename Work> double least_seconds(Work work)
{
	double least = 1e9;
	for (int i = 0; i < 5; i++) {
		const double start = cpu_seconds();
		work();
		least = std::min(least, cpu_seconds() - start);
	}
	return least;
}

} // namespace

int main()
{
	std::vector<uint64_t> words(blocks * block_bytes / sizeof(uint64_t) + 1);
	std::generate(words.begin(), words.end(), std::mt19937_64());
	const auto *bytes = reinterpret_cast<const uint8_t *>(words.data());

	for (const auto &variant : count_variants()) {
		uint64_t failures = 0;
		const double seconds = least_seconds([&] {
			for (size_t i = 0; i < blocks; i++) {
				Counts counts;
				variant.count(bytes + i * block_bytes, counts);
				failures += judge(counts) != 0 ? 1 : 0;
			}
		});
		std::printf("%s %.4f\n", variant.name, seconds);
		if (failures == 0)
			std::fprintf(stderr, "%s found no bad block in %zu blocks\n", variant.name, blocks);
	}
	volatile uint64_t result = 0;
	std::printf("memory %.4f\n", least_seconds([&] {
		            // Enough sums to hide the latency of an addition.
		            std::array<uint64_t, 32> sums{};
		            for (size_t i = 0; i + sums.size() <= words.size(); i += sums.size())
			            for (size_t k = 0; k < sums.size(); k++)
				            sums[k] += words[i + k];
		            for (const uint64_t sum : sums)
			            result = result + sum;
	            }));
}
