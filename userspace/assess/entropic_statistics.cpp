// SPDX-License-Identifier: GPL-2.0-or-later
// Most common value, collision, Markov and compression: SP 800-90B, 6.3.1 to 6.3.4.
#include "assess/estimators.h"
#include "assess/search.h"

#include <array>
#include <bit>
#include <cmath>

namespace hwrngd::assess {

namespace {

uint64_t count_ones(const Bits &bits)
{
	uint64_t ones = 0;
	for (size_t at = 0; at < bits.size(); at += Bits::window_bits)
		ones += static_cast<uint64_t>(std::popcount(bits.window(at)));
	return ones;
}

Estimate by_most_common(uint64_t mode, size_t size)
{
	const auto n = static_cast<double>(size);
	const double p = static_cast<double>(mode) / n;
	const double bound =
	    std::fmin(1.0, p + static_cast<double>(z_alpha) * std::sqrt(p * (1 - p) / (n - 1)));
	return {.estimator = Estimator::most_common_value,
	        .min_entropy = std::fabs(std::log2(bound)),
	        .figures = {{"mode_count", mode}, {"p_hat", p}, {"p_u", bound}}};
}

/// The expected mean of the compression statistic (6.3.4, step 7), for a source whose most likely
/// block has the probability p while the other 63 blocks share the rest.
class ExpectedDistance {
public:
	ExpectedDistance(size_t dictionary, size_t blocks) : dictionary_(dictionary), blocks_(blocks) {}

	double operator()(double p) { return static_cast<double>(sum(p) + (63 * sum((1 - p) / 63))); }

private:
	/// The standard's G(z), with the sums over t and u exchanged: log2(u) z^2 (1-z)^(u-1) occurs
	/// once for every t > u, and log2(t) z (1-z)^(t-1) occurs once.
	long double sum(long double z)
	{
		if (z <= 0)
			return 0;
		// Terms with a factor below 1e-25 do not change the digits of a double.
		const long double enough = std::ceil(std::log(1e-25L) / std::log1p(-z)) + 1;
		const auto terms = z < 1 && enough < static_cast<long double>(blocks_)
		                       ? std::max(static_cast<size_t>(enough), dictionary_)
		                       : blocks_;
		while (log2_.size() <= terms)
			log2_.push_back(std::log2(static_cast<double>(log2_.size())));

		long double power = 1 - z; // (1-z)^(u-1)
		long double before = 0;    // the terms with u < t
		long double at = 0;        // the terms with u = t
		for (size_t u = 2; u <= dictionary_; u++, power *= 1 - z)
			before += static_cast<long double>(log2_[u]) * power;
		before *= static_cast<long double>(blocks_ - dictionary_);
		for (size_t u = dictionary_ + 1; u <= terms; u++, power *= 1 - z) {
			const long double term = static_cast<long double>(log2_[u]) * power;
			before += term * static_cast<long double>(blocks_ - u);
			at += term;
		}
		return z * (z * before + at) / static_cast<long double>(blocks_ - dictionary_);
	}

	size_t dictionary_;
	size_t blocks_;
	std::vector<double> log2_{0, 0};
};

} // namespace

Estimate most_common_value(const Bits &bits)
{
	const uint64_t ones = count_ones(bits);
	return by_most_common(std::max(ones, bits.size() - ones), bits.size());
}

Estimate most_common_value(const Literals &literals)
{
	std::array<uint64_t, 256> counts{};
	for (const uint8_t symbol : literals.symbols)
		counts[symbol]++;
	return by_most_common(*std::max_element(counts.begin(), counts.end()), literals.size());
}

Estimate collision(const Bits &bits)
{
	Estimate estimate{.estimator = Estimator::collision};
	// Two of any three bits are equal, so a collision takes two or three bits.
	uint64_t collisions = 0;
	uint64_t of_three = 0;
	size_t at = 0;
	while (at + 2 < bits.size()) {
		const uint64_t differ = (bits[at] ^ bits[at + 1]);
		collisions++;
		of_three += differ;
		at += 2 + differ;
	}
	if (at + 2 == bits.size() && bits[at] == bits[at + 1]) {
		collisions++;
		at += 2;
	}
	if (collisions < 2) {
		estimate.note = "fewer than two collisions";
		return estimate;
	}

	const auto v = static_cast<double>(collisions);
	const auto total = static_cast<double>(at);
	const auto squares = static_cast<double>(4 * collisions + 5 * of_three);
	const double mean = total / v;
	const double sigma = std::sqrt((squares - total * mean) / (v - 1));
	const double bound = std::fmax(2.0, mean - static_cast<double>(z_alpha) * sigma / std::sqrt(v));
	// Since p >= 0.5, step 7 reduces to bound = 2 + 2p - 2p^2. If the bound is above 2.5 there is
	// no such p; then the standard grants full entropy.
	const double p = bound < 2.5 ? 0.5 + std::sqrt(1.25 - 0.5 * bound) : 0.5;
	estimate.min_entropy = std::fabs(std::log2(p));
	estimate.figures = {{"v", collisions},    {"sum_t", uint64_t{at}}, {"mean", mean},
	                    {"sigma_hat", sigma}, {"mean_bound", bound},   {"p", p}};
	return estimate;
}

Estimate markov(const Bits &bits)
{
	// Counts of pairs of neighbours.
	const size_t n = bits.size();
	uint64_t first_ones = 0;
	uint64_t one_one = 0;
	uint64_t zero_one = 0;
	for (size_t at = 0; at + 1 < n; at += Bits::window_bits) {
		const uint64_t mask = first_bits(std::min(Bits::window_bits, n - 1 - at));
		const uint64_t first = bits.window(at);
		const uint64_t second = bits.window(at + 1);
		first_ones += static_cast<uint64_t>(std::popcount(first & mask));
		one_one += static_cast<uint64_t>(std::popcount(first & second & mask));
		zero_one += static_cast<uint64_t>(std::popcount(~first & second & mask));
	}
	const uint64_t first_zeros = n - 1 - first_ones;
	const uint64_t one_zero = first_ones - one_one;
	const uint64_t zero_zero = first_zeros - zero_one;
	const auto share = [](uint64_t part, uint64_t of) {
		return of > 0 ? static_cast<double>(part) / static_cast<double>(of) : 0.0;
	};
	const double p0 = share(first_zeros + 1 - bits[n - 1], n);
	const double p1 = 1 - p0;
	const double p00 = share(zero_zero, first_zeros);
	const double p01 = first_zeros > 0 ? 1 - p00 : 0;
	const double p10 = share(one_zero, first_ones);
	const double p11 = first_ones > 0 ? 1 - p10 : 0;

	// The likeliest sequence of 128 bits is one of these six. A sequence that cannot occur has the
	// logarithm minus infinity.
	double likeliest = -128;
	for (const double log_p : {
	         std::log2(p0) + 127 * std::log2(p00),
	         std::log2(p0) + 64 * std::log2(p01) + 63 * std::log2(p10),
	         std::log2(p0) + std::log2(p01) + 126 * std::log2(p11),
	         std::log2(p1) + std::log2(p10) + 126 * std::log2(p00),
	         std::log2(p1) + 64 * std::log2(p10) + 63 * std::log2(p01),
	         std::log2(p1) + 127 * std::log2(p11),
	     })
		likeliest = std::fmax(likeliest, log_p);
	return {.estimator = Estimator::markov,
	        .min_entropy = std::fabs(likeliest) / 128,
	        .figures = {{"p_0", p0},
	                    {"p_1", p1},
	                    {"p_00", p00},
	                    {"p_01", p01},
	                    {"p_10", p10},
	                    {"p_11", p11},
	                    {"p_hat_max", std::exp2(likeliest)}}};
}

Estimate compression(const Bits &bits, Pace &pace)
{
	constexpr size_t width = 6;
	constexpr size_t alphabet = size_t{1} << width;
	constexpr size_t dictionary = 1000;
	Estimate estimate{.estimator = Estimator::compression};
	const size_t blocks = bits.size() / width;
	if (blocks <= dictionary) {
		estimate.note = fmt::format("fewer than {} bits", least_bits);
		return estimate;
	}

	std::array<double, 1024> log2_of_near{};
	for (size_t i = 1; i < log2_of_near.size(); i++)
		log2_of_near[i] = std::log2(static_cast<double>(i));
	std::array<size_t, alphabet> last{}; // place of a block's last occurrence, from 1; 0: none
	long double sum = 0;
	long double squares = 0;
	const bool all = pace.run(0, blocks, [&](size_t from, size_t to) {
		for (size_t i = from; i < to; i++) {
			const size_t block = bits.window(i * width) >> (Bits::window_bits - width);
			const size_t distance = i + 1 - last[block];
			last[block] = i + 1;
			if (i < dictionary)
				continue;
			const double log2 = distance < log2_of_near.size()
			                        ? log2_of_near[distance]
			                        : std::log2(static_cast<double>(distance));
			sum += static_cast<long double>(log2);
			squares += static_cast<long double>(log2 * log2);
		}
	});
	if (!all)
		return estimate;

	const auto v = static_cast<long double>(blocks - dictionary);
	const auto mean = static_cast<double>(sum / v);
	// 0.5907 corrects for the dependence between blocks (6.3.4, step 5).
	// If all distances are equal, rounding must not make the variance negative: NIST's tool then
	// takes its square root, and grants full entropy to a constant.
	const long double variance = squares / (v - 1) - static_cast<long double>(mean) * mean;
	const double sigma = 0.5907 * static_cast<double>(std::sqrt(std::fmax(0.0L, variance)));
	const double bound = mean - static_cast<double>(z_alpha) * sigma /
	                                std::sqrt(static_cast<double>(blocks - dictionary));
	ExpectedDistance expected(dictionary, blocks);
	const double least = 1.0 / alphabet;
	const double p = expected(least) > bound
	                     ? search(least, 1, bound, [&](double at) { return expected(at); })
	                     : least;
	estimate.min_entropy = std::fabs(std::log2(p)) / width;
	estimate.figures = {{"mean", mean}, {"sigma_hat", sigma}, {"mean_bound", bound}, {"p", p}};
	return estimate;
}

} // namespace hwrngd::assess
