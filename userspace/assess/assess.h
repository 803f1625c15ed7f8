// SPDX-License-Identifier: GPL-2.0-or-later
// Estimates the entropy of a source's samples by NIST SP 800-90B (January 2018), non-IID track,
// section 6.3. The figures are the same as those of NIST's own tool, ea_non_iid.
#pragma once

#include "base/error.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hwrngd::assess {

/// The number of samples that SP 800-90B requires (section 3.1.1). Fewer are assessed with a
/// warning.
inline constexpr uint64_t recommended_samples = 1'000'000;

/// Limits of an assessment: the bits of all samples together, and the number of samples of any
/// width. The memory used grows with the number of bits, up to nine bytes for each.
inline constexpr uint64_t most_bits = uint64_t{1} << 27U;
inline constexpr uint64_t most_samples = most_bits / 8;

/// Samples of one source, in the order in which they were taken.
struct Symbols {
	std::vector<uint8_t> raw;    ///< as read, one sample per byte
	std::vector<uint8_t> values; ///< raw, with the occurring values renumbered 0 ... alphabet - 1
	unsigned bits = 0;           ///< bits per symbol, 1 to 8
	unsigned alphabet = 0;       ///< distinct values
};

/// Converts samples to Symbols. `bits` is the width of a sample; the default is the width of the
/// greatest sample, as in NIST's tool. Fails if there are no samples, or one does not fit into
/// `bits`.
[[nodiscard]] Result<Symbols> to_symbols(std::vector<uint8_t> raw, std::optional<unsigned> bits);

/// The ten estimators, in the order of section 6.3.
enum class Estimator : uint8_t {
	most_common_value, ///< 6.3.1
	collision,         ///< 6.3.2, for bits only
	markov,            ///< 6.3.3, for bits only
	compression,       ///< 6.3.4, for bits only
	t_tuple,           ///< 6.3.5
	lrs,               ///< 6.3.6
	multi_mcw,         ///< 6.3.7
	lag,               ///< 6.3.8
	multi_mmc,         ///< 6.3.9
	lz78y,             ///< 6.3.10
};

inline constexpr std::array<Estimator, 10> all_estimators{
    Estimator::most_common_value,
    Estimator::collision,
    Estimator::markov,
    Estimator::compression,
    Estimator::t_tuple,
    Estimator::lrs,
    Estimator::multi_mcw,
    Estimator::lag,
    Estimator::multi_mmc,
    Estimator::lz78y,
};

/// The name of an estimator as a JSON key ("t_tuple") and in the standard ("t-Tuple").
[[nodiscard]] std::string_view key(Estimator estimator);
[[nodiscard]] std::string_view title(Estimator estimator);

/// The input of an estimator: the symbols themselves, or the string of all their bits, most
/// significant bit first.
enum class Form : uint8_t { literal, bitstring };

[[nodiscard]] std::string_view key(Form form);

/// A count, or anything that is computed from counts.
using Value = std::variant<uint64_t, double>;

/// An intermediate result of an estimator, with the standard's name for it ("p_hat", "mean").
struct Figure {
	std::string_view name;
	Value value;
};

// For g++ 12, members that designated initializers leave out need an initializer here.
// NOLINTBEGIN(readability-redundant-member-init)

/// The result of one estimator on one form.
struct Estimate {
	Estimator estimator = Estimator::most_common_value;
	Form form = Form::literal;
	/// Bits per symbol (literal) or per bit (bitstring). Empty if the estimator is not defined for
	/// these samples; then `note` says why, and the other estimators decide.
	std::optional<double> min_entropy{};
	std::vector<Figure> figures{};
	std::string note{};
};

/// The result of the non-IID track (section 3.1.3, without the submitter's own estimate).
struct Assessment {
	uint64_t samples = 0;
	unsigned bits = 0;
	unsigned alphabet = 0;
	std::vector<Estimate> estimates{};   ///< ordered by estimator; bitstring before literal
	double h_original = 0;               ///< bits per symbol: the least literal estimate
	std::optional<double> h_bitstring{}; ///< bits per bit; empty for an alphabet of two
	/// Bits per symbol: the lesser of h_original and h_bitstring times the width. NIST's tool calls
	/// it the assessed min entropy.
	double min_entropy = 0;
};

/// How an assessment is run.
struct Options {
	unsigned threads = 0;   ///< 0: one per core
	std::stop_token stop{}; ///< ends the work early, with ExitCode::interrupted
	/// Called with the share of the work that is done, 0 to 1, by one thread at a time.
	std::function<void(double)> progress{};
};

// NOLINTEND(readability-redundant-member-init)

/// Runs all ten estimators. Fails if there are too few samples for an estimator, or more than the
/// limit, if all samples are equal, or if it was stopped.
[[nodiscard]] Result<Assessment> non_iid(const Symbols &symbols, const Options &options = {});

} // namespace hwrngd::assess
