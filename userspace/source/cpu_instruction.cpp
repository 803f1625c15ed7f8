// SPDX-License-Identifier: GPL-2.0-or-later
// The CPU's random number instructions. Always 64 bits at a time: the narrower forms of RDSEED are
// broken on some processors (AMD-SB-7055).
#include "source/source.h"

#include "base/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#if defined(__x86_64__)
#include "kmod/cpu_errata.h"

#include <immintrin.h>
#elif defined(__powerpc64__)
#include <sys/auxv.h>
#endif

namespace hwrngd {

namespace {

// Intel's DRNG guide (5.2.1) recommends ten tries of RDRAND. RDSEED can run dry while other threads
// use it; the kernel modules try 100 times as well.
constexpr int retries_of_seed = 100;
constexpr int retries_of_generator = 10;

/// `text` without white space at both ends.
std::string_view trimmed(std::string_view text)
{
	constexpr std::string_view space = " \t";
	const auto begin = text.find_first_not_of(space);
	if (begin == std::string_view::npos)
		return {};
	return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

/// A value of the first CPU in /proc/cpuinfo, or an empty text. Its lines are "key : value"; an
/// empty line ends the record of a CPU.
[[maybe_unused]] std::string_view value_of(std::string_view cpuinfo, std::string_view key)
{
	while (!cpuinfo.empty() && cpuinfo.front() != '\n') {
		const auto line = cpuinfo.substr(0, cpuinfo.find('\n'));
		cpuinfo.remove_prefix(std::min(line.size() + 1, cpuinfo.size()));
		const auto colon = line.find(':');
		if (colon != std::string_view::npos && trimmed(line.substr(0, colon)) == key)
			return trimmed(line.substr(colon + 1));
	}
	return {};
}

[[maybe_unused]] bool has_word(std::string_view text, std::string_view word)
{
	for (size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; at += word.size()) {
		const auto end = at + word.size();
		if ((at == 0 || text[at - 1] == ' ') && (end == text.size() || text[end] == ' '))
			return true;
	}
	return false;
}

using Instruction = bool (*)(uint64_t *);

struct Entry {
	const char *name;
	Instruction instruction;
	int retries;
};

// The blocks below are one for each architecture. is_offered() asks the kernel, not the CPU: the
// kernel hides instructions that failed its own test.
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

bool is_offered(std::string_view name, std::string_view cpuinfo)
{
	return has_word(value_of(cpuinfo, "flags"), name);
}

/// The erratum that makes the instruction useless on this CPU, or nullptr. Kernels hide only the
/// instructions whose errata they know. Those of 2020 know one, and a hypervisor may show what its
/// own kernel hides.
const char *erratum_of(std::string_view name, std::string_view cpuinfo)
{
	if (value_of(cpuinfo, "vendor_id") != "AuthenticAMD")
		return nullptr;
	const auto number = [&](const char *key) {
		return parse_number<unsigned>(value_of(cpuinfo, key)).value_or(0);
	};
	struct amd_cpu cpu = {.family = number("cpu family"),
	                      .model = number("model"),
	                      .stepping = number("stepping"),
	                      .microcode = 0};
	if (auto microcode = value_of(cpuinfo, "microcode"); microcode.starts_with("0x")) {
		microcode.remove_prefix(2);
		constexpr int hexadecimal = 16;
		std::from_chars(microcode.begin(), microcode.end(), cpu.microcode, hexadecimal);
	}
	return name == "rdseed" ? amd_rdseed_erratum(&cpu) : amd_rdrand_erratum(&cpu);
}

/// Do all CPUs with an erratum of this instruction have it, so that only the kernel can hide it?
/// Many CPUs of the families 15h and 16h have no RDRAND.
bool is_in_all(std::string_view name)
{
	return name == "rdseed";
}

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

bool is_offered(std::string_view /*name*/, std::string_view cpuinfo)
{
	return has_word(value_of(cpuinfo, "Features"), "rng");
}

#elif defined(__powerpc64__)

// Power ISA 3.0B, section 3.3.9: L=1 requests 64 conditioned bits; all ones means that it failed.
bool darn(uint64_t *word)
{
	asm volatile(".machine push\n\t.machine power9\n\tdarn %0,1\n\t.machine pop" : "=r"(*word));
	return *word != UINT64_MAX;
}

void relax()
{
	asm volatile("or 27,27,27"); // yield
}

constexpr std::array<Entry, 1> entries{{{"darn", darn, retries_of_generator}}};

/// /proc/cpuinfo does not say it here. A tree without that file is no machine.
bool is_offered(std::string_view /*name*/, std::string_view cpuinfo)
{
	constexpr unsigned long ppc_feature2_darn = 0x00200000; // asm/cputable.h
	return !cpuinfo.empty() && (getauxval(AT_HWCAP2) & ppc_feature2_darn) != 0;
}

#else

// No instruction: on s390x, the kernel's own driver s390-trng serves that of the CPU as a hwrng. On
// RISC-V, only the kernel may read the CSR seed.
void relax() {}
constexpr std::array<Entry, 0> entries{};

bool is_offered(std::string_view /*name*/, std::string_view /*cpuinfo*/)
{
	return false;
}

#endif

#if !defined(__x86_64__)

const char *erratum_of(std::string_view /*name*/, std::string_view /*cpuinfo*/)
{
	return nullptr;
}

bool is_in_all(std::string_view /*name*/)
{
	return false;
}

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

CpuInstructions cpu_instructions_in(std::string_view cpuinfo)
{
	CpuInstructions found;
	for (const auto &entry : entries) {
		const bool offered = is_offered(entry.name, cpuinfo);
		const char *erratum = erratum_of(entry.name, cpuinfo);
		if (erratum != nullptr && (offered || is_in_all(entry.name)))
			found.faulty.push_back({.name = entry.name, .erratum = erratum});
		else if (offered)
			found.usable.emplace_back(entry.name);
	}
	return found;
}

CpuInstructions cpu_instructions(const Root &root)
{
	return cpu_instructions_in(root.read_if_any("/proc/cpuinfo").value_or(""));
}

Result<std::unique_ptr<Source>> open_cpu_instruction(const std::string &name)
{
	for (const auto &entry : entries)
		if (name == entry.name)
			return std::make_unique<CpuInstructionSource>(entry);
	return fail(ExitCode::no_source, fmt::format("{}: no such instruction on this CPU", name));
}

} // namespace hwrngd
