// SPDX-License-Identifier: GPL-2.0-or-later
// The IID track of NIST SP 800-90B (sections 3.1.2 and 5). It tests if the samples are independent
// and identically distributed. If they are, only the most common value decides their min-entropy
// (6.1).
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
	not_needed, ///< not run, because another test failed first and this one takes long
};

/// How a statistic of the samples ranks among those of their permutations.
struct Ranked {
	double value = 0;    ///< T: the statistic of the samples in their original order
	uint64_t higher = 0; ///< number of permutations with a greater statistic; C[i][0] in ea_iid
	uint64_t equal = 0;
	uint64_t lower = 0;
	Verdict verdict = Verdict::failed;
};

struct Assessment {
	uint64_t samples = 0;
	unsigned bits = 0;
	unsigned alphabet = 0;
	double h_original = 0;             ///< bits per symbol, by the most common value
	std::optional<double> h_bitstring; ///< bits per bit; empty for an alphabet of two
	double min_entropy = 0;            ///< bits per symbol; valid only if the samples are IID

	ChiSquare independence;
	ChiSquare goodness_of_fit;
	LongestRepeat longest_repeat;
	std::array<Ranked, statistics> permutations;

	/// True if no statistic of the permutation tests failed.
	[[nodiscard]] bool permutations_passed() const;
	/// True if no test gives a reason to doubt that the samples are IID.
	[[nodiscard]] bool iid() const;
};

struct Options : assess::Options {
	uint64_t permutations = 10'000;
	/// Seed of the permutations; the default is random. With the same seed the counts are the same
	/// for any number of threads.
	std::optional<uint64_t> seed;
	/// Ranks the compression, which takes most of the time, even if another statistic failed.
	bool all = false;
};

/// Runs the IID track. Fails if there are fewer than Statistics::least_samples samples or too many,
/// or if all are equal. Fails with ExitCode::interrupted if it was stopped.
[[nodiscard]] Result<Assessment> run_track(const assess::Symbols &symbols,
                                           const Options &options = {});

} // namespace hwrngd::iid
