// SPDX-License-Identifier: GPL-2.0-or-later
// The IID track of NIST SP 800-90B (sections 3.1.2 and 5): are the samples independent and
// identically distributed? If so, the most common value alone gives their min-entropy (6.1).
#pragma once

#include "assess/assess.h"
#include "assess/iid_statistics.h"
#include "assess/iid_tests.h"

#include <array>
#include <cstdint>
#include <optional>

namespace hwrngd::iid {

enum class Verdict : uint8_t {
	passed,
	failed,
	not_needed, ///< another test failed first, and this one takes long
};

/// How a statistic of the samples ranks among those of their permutations.
struct Ranked {
	double value = 0;    ///< T, of the samples as they came
	uint64_t higher = 0; ///< permutations with a greater statistic; C[i][0] in ea_iid
	uint64_t equal = 0;
	uint64_t lower = 0;
	Verdict verdict = Verdict::failed;
};

struct Assessment {
	uint64_t samples = 0;
	unsigned bits = 0;
	unsigned alphabet = 0;
	double h_original = 0;             ///< bits per symbol, by the most common value
	std::optional<double> h_bitstring; ///< bits per bit; none for an alphabet of two
	double min_entropy = 0;            ///< bits per symbol; holds only when the samples are IID

	ChiSquare independence;
	ChiSquare goodness_of_fit;
	LongestRepeat longest_repeat;
	std::array<Ranked, statistics> permutations;

	/// No statistic of the permutation tests failed.
	[[nodiscard]] bool permutations_passed() const;
	/// No test gives a reason to doubt that the samples are IID.
	[[nodiscard]] bool iid() const;
};

struct Options : assess::Options {
	uint64_t permutations = 10'000;
	/// Of the permutations; by default from the kernel. One seed gives the same counts on any
	/// number of threads.
	std::optional<uint64_t> seed;
	/// Ranks the compression, which takes most of the time, even when another statistic failed.
	bool all = false;
};

/// Runs the track. Fails when there are fewer than Statistics::least_samples samples, when all are
/// equal, and with ExitCode::interrupted when it was told to stop.
[[nodiscard]] Result<Assessment> run_track(const assess::Symbols &symbols,
                                           const Options &options = {});

} // namespace hwrngd::iid
