// SPDX-License-Identifier: GPL-2.0-or-later
// The CPU's random number instructions. Always 64 bits at a time: the narrower forms of RDSEED are
// broken on some processors (AMD-SB-7055).
#include "source/source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <sstream>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace hwrngd {

namespace {

// Intel's DRNG guide (5.2.1) recommends ten tries of RDRAND. RDSEED can run dry while other threads
// use it; the kernel modules try 100 times as well.
constexpr int retries_of_seed = 100;
constexpr int retries_of_generator = 10;

using Instruction = bool (*)(uint64_t *);

struct Entry {
	const char *name;
	Instruction instruction;
	int retries;
};

#if defined(__x86_64__)

__attribute__((target("rdseed"))) bool rdseed(uint64_t *word)
{
	unsigned long long value = 0;
	const bool good = _rdseed64_step(&value) != 0;
	*word = value;
	return good;
}

__attribute__((target("rdrnd"))) bool rdrand(uint64_t *word)
{
	unsigned long long value = 0;
	const bool good = _rdrand64_step(&value) != 0;
	*word = value;
	return good;
}

void relax()
{
	_mm_pause();
}

constexpr std::array<Entry, 2> entries{{
    {"rdseed", rdseed, retries_of_seed},
    {"rdrand", rdrand, retries_of_generator},
}};

#elif defined(__aarch64__)

// FEAT_RNG (Arm ARM, K12.1): the Z flag is set if no number was available in time.
bool rndrrs(uint64_t *word)
{
	bool good = false;
	asm volatile("mrs %0, s3_3_c2_c4_1\n\tcset %w1, ne" : "=r"(*word), "=r"(good)::"cc");
	return good;
}

bool rndr(uint64_t *word)
{
	bool good = false;
	asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %w1, ne" : "=r"(*word), "=r"(good)::"cc");
	return good;
}

void relax()
{
	asm volatile("yield");
}

constexpr std::array<Entry, 2> entries{{
    {"rndrrs", rndrrs, retries_of_seed},
    {"rndr", rndr, retries_of_generator},
}};

#else

void relax() {}
constexpr std::array<Entry, 0> entries{};

#endif

class CpuInstructionSource : public Source {
public:
	explicit CpuInstructionSource(const Entry &entry) : entry_(entry) {}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds /*limit*/) override
	{
		size_t have = 0;
		while (have < out.size()) {
			uint64_t word = 0;
			if (!next(&word))
				break;
			const size_t n = std::min(out.size() - have, sizeof word);
			std::memcpy(&out[have], &word, n);
			explicit_bzero(&word, sizeof word);
			have += n;
		}
		if (have == 0)
			return fail(ExitCode::io_error,
			            fmt::format("{}: the CPU returned no number in {} tries", entry_.name,
			                        entry_.retries));
		return have;
	}

private:
	bool next(uint64_t *word) const
	{
		for (int i = 0; i < entry_.retries; i++) {
			if (entry_.instruction(word))
				return true;
			relax();
		}
		return false;
	}

	Entry entry_;
};

} // namespace

std::vector<std::string> cpu_instructions(const Root &root)
{
	// Ask the kernel, not CPUID: the kernel hides instructions that it knows to be broken (RDRAND
	// after resume, RDSEED that returns zeros).
	std::vector<std::string> flags;
	std::istringstream lines(root.read_if_any("/proc/cpuinfo").value_or(""));
	for (std::string line; flags.empty() && std::getline(lines, line);) {
		if (!line.starts_with("flags") && !line.starts_with("Features"))
			continue;
		std::istringstream words(line.substr(std::min(line.find(':'), line.size() - 1) + 1));
		for (std::string word; words >> word;)
			flags.push_back(word);
	}
	const auto has = [&](const char *flag) {
		return std::find(flags.begin(), flags.end(), flag) != flags.end();
	};
	std::vector<std::string> names;
	for (const auto &entry : entries)
		if (has(entry.name) || (std::string_view(entry.name).starts_with("rndr") && has("rng")))
			names.emplace_back(entry.name);
	return names;
}

Result<std::unique_ptr<Source>> open_cpu_instruction(const std::string &name)
{
	for (const auto &entry : entries)
		if (name == entry.name)
			return std::make_unique<CpuInstructionSource>(entry);
	return fail(ExitCode::no_source, fmt::format("{}: no such instruction on this CPU", name));
}

} // namespace hwrngd
