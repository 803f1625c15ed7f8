// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/bench_figures.h"

#include "base/format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

namespace hwrngd {

namespace {

// The usual rates. "Measured" was measured by us on two servers, or by the project that is named;
// "estimated" was not measured.
constexpr auto usual_rates = std::to_array<UsualRate>({
    {SourceKind::cpu, "rdrand", "RDRAND, one thread", 5e6, 500e6,
     "measured: 98 MB/s on a Xeon, 310 MB/s on an EPYC; 6 MB/s on a Celeron (botan issue 911)"},
    {SourceKind::cpu, "rdseed", "RDSEED, one thread", 1e6, 100e6,
     "measured: 7.2 MB/s on a Xeon, 14 MB/s on an EPYC, shared by all programs that use it"},
    {SourceKind::tpm2, "tpmrm", "TPM 2.0", 300, 32e3,
     "estimated: 32 bytes per command of 1 ms (firmware) to 100 ms (slow chip); software is "
     "faster"},
    {SourceKind::hwrng, "tpm_rng.", "TPM as hwrng", 300, 32e3, "same as a TPM 2.0"},
    {SourceKind::hwrng, "tpm-rng", "TPM as hwrng", 300, 32e3, "same as a TPM 2.0"},
    {SourceKind::hwrng, "cpu_rng.rdrand", "RDRAND as hwrng", 500e3, 20e6,
     "estimated: the rate of the instruction, and about 10 us for each read of 64 bytes"},
    {SourceKind::hwrng, "cpu_rng.rdseed", "RDSEED as hwrng", 500e3, 20e6,
     "estimated: the rate of the instruction, and about 10 us for each read of 64 bytes"},
    {SourceKind::hwrng, "virtio_rng.", "virtio-rng", 1e3, 5e6,
     "set by the host; measured: 9.4 kB/s with a limit; without a limit, each 64 bytes need one "
     "round trip to the host"},
    {SourceKind::jitter, "jitter", "CPU jitter", 1e3, 100e3,
     "measured: 7.1 kB/s by the library jitterentropy 3.6"},
});

struct Unit {
	double size;
	std::string_view name;
};

/// A number in the largest of `units` that makes it 1 or more. Two digits, because the measurement
/// is not more precise.
std::string in_units(double number, std::span<const Unit> units)
{
	const auto *unit = units.data();
	for (const auto &other : units)
		if (number >= other.size * 0.9995) // rounds to 1 or more
			unit = &other;
	number /= unit->size;
	return fmt::format("{:.{}f} {}", number, number < 9.95 ? 1 : 0, unit->name);
}

} // namespace

BenchFigures figures_of(std::vector<double> latencies, uint64_t bytes)
{
	BenchFigures figures{.reads = latencies.size(), .bytes = bytes};
	if (latencies.empty())
		return figures;
	std::ranges::sort(latencies);
	const double seconds = std::accumulate(latencies.begin(), latencies.end(), 0.0);
	if (seconds > 0)
		figures.bytes_per_second = static_cast<double>(bytes) / seconds;
	// Nearest rank: the smallest latency that `share` of the reads did not exceed.
	const auto percentile = [&](double share) {
		const auto rank = std::ceil(share * static_cast<double>(latencies.size()));
		return latencies[static_cast<size_t>(rank) - 1];
	};
	figures.median = percentile(0.5);
	figures.percentile_99 = percentile(0.99);
	figures.longest = latencies.back();
	return figures;
}

const UsualRate *usual_rate(const SourceInfo &source)
{
	const auto *const found = std::ranges::find_if(usual_rates, [&](const UsualRate &usual) {
		return usual.kind == source.kind && source.name.starts_with(usual.prefix);
	});
	return found == usual_rates.end() ? nullptr : found;
}

const char *name(Comparison comparison)
{
	switch (comparison) {
	case Comparison::unknown:
		break;
	case Comparison::slower:
		return "slower than usual";
	case Comparison::usual:
		return "as usual";
	case Comparison::faster:
		return "faster than usual";
	}
	return "nothing to compare with";
}

Comparison compare(double bytes_per_second, const UsualRate *usual)
{
	if (usual == nullptr)
		return Comparison::unknown;
	if (bytes_per_second < usual->least)
		return Comparison::slower;
	return bytes_per_second > usual->most ? Comparison::faster : Comparison::usual;
}

std::string rate_text(double bytes_per_second)
{
	static constexpr std::array<Unit, 4> units{
	    {{1, "B/s"}, {1e3, "kB/s"}, {1e6, "MB/s"}, {1e9, "GB/s"}}};
	return in_units(bytes_per_second, units);
}

std::string duration_text(double seconds)
{
	static constexpr std::array<Unit, 3> units{{{1e-6, "us"}, {1e-3, "ms"}, {1, "s"}}};
	return in_units(seconds, units);
}

} // namespace hwrngd
