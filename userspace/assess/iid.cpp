// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/iid.h"

#include "assess/estimators.h"
#include "assess/xoshiro256.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>
#include <mutex>
#include <numbers>
#include <thread>

#include <sys/random.h>

namespace hwrngd::iid {

namespace {

constexpr uint64_t extreme = 5; // section 5, step 3: a rank this close to an end is a failure

void estimate_entropy(const assess::Symbols &symbols, Assessment &result)
{
	const auto estimate =
	    symbols.alphabet == 2
	        ? assess::most_common_value(assess::Bits(symbols.values, 1))
	        : assess::most_common_value(assess::Literals{symbols.values, symbols.alphabet});
	// The most common value is defined for any samples.
	result.h_original = estimate.min_entropy.value_or(0);
	result.min_entropy = std::min<double>(symbols.bits, result.h_original);
	if (symbols.alphabet == 2)
		return;
	const assess::Bits bits(symbols.raw, symbols.bits);
	const double h_bitstring = assess::most_common_value(bits).min_entropy.value_or(0);
	result.h_bitstring = h_bitstring;
	result.min_entropy = std::min(result.min_entropy, h_bitstring * symbols.bits);
}

/// The binary logarithm of the number of different arrangements of the samples.
double arrangements_log2(const assess::Symbols &symbols)
{
	std::array<uint64_t, 256> counts{};
	for (const uint8_t value : symbols.values)
		counts[value]++;
	double log = std::lgamma(static_cast<double>(symbols.values.size()) + 1);
	for (const uint64_t count : counts)
		log -= std::lgamma(static_cast<double>(count) + 1);
	return log / std::numbers::ln2;
}

/// True if a random permutation practically never compresses to `size` bytes or less.
///
/// bzip2's output can be decompressed, so it differs for different sequences. At most
/// 2^(8 size + 1) sequences become that short. If there are 2^128 times as many arrangements of the
/// samples, a random one becomes that short with a probability of at most 2^-128.
bool compresses_beyond_chance(double size, const assess::Symbols &symbols)
{
	return 8 * size + 1 + 128 <= arrangements_log2(symbols);
}

/// Ranks the statistics of the samples among those of random permutations, on several threads.
class PermutationTests {
public:
	PermutationTests(const assess::Symbols &symbols, const Options &options, uint64_t seed,
	                 std::array<Ranked, statistics> &ranked)
	    : symbols_(symbols), options_(options), seed_(seed), ranked_(ranked)
	{
	}

	/// Ranks the wanted statistics until each has passed, or all permutations are done. Reports
	/// progress between the shares `from` and `to` of the whole work.
	void rank(const Wanted &wanted, double from, double to)
	{
		undecided_ = wanted;
		next_ = 0;
		merged_ = 0;
		pending_.clear();
		from_ = from;
		to_ = to;
		const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
		std::vector<std::future<void>> workers(options_.threads > 0 ? options_.threads : cores);
		for (auto &worker : workers)
			worker = std::async(std::launch::async, [this] { work(); });
		for (auto &worker : workers)
			worker.get();
	}

private:
	struct Job {
		uint64_t number = 0;
		Wanted wanted;
	};

	std::optional<Job> next_job()
	{
		const std::scoped_lock lock(mutex_);
		if (undecided_.none() || next_ == options_.permutations || options_.stop.stop_requested())
			return std::nullopt;
		return Job{next_++, undecided_};
	}

	void work()
	{
		const auto original = sequence(symbols_);
		std::vector<uint8_t> samples(original.size());
		Statistics statistics_of(symbols_);
		Values values{};
		while (const auto job = next_job()) {
			std::copy(original.begin(), original.end(), samples.begin());
			Xoshiro256 random(seed_, job->number);
			shuffle(samples, random);
			statistics_of.compute(samples, job->wanted, values);
			finish(job->number, values);
		}
	}

	/// Counts results in the order of the permutations, not of the threads, so that the counts
	/// depend only on the seed.
	void finish(uint64_t number, const Values &values)
	{
		const std::scoped_lock lock(mutex_);
		pending_.emplace(number, values);
		for (auto it = pending_.begin(); it != pending_.end() && it->first == merged_;
		     it = pending_.erase(it), merged_++)
			merge(it->second);
		if (options_.progress)
			options_.progress(from_ + (to_ - from_) * static_cast<double>(merged_) /
			                              static_cast<double>(options_.permutations));
	}

	void merge(const Values &values)
	{
		for (size_t i = 0; i < statistics; i++) {
			if (!undecided_[i])
				continue;
			Ranked &ranked = ranked_[i];
			if (values[i] > ranked.value)
				ranked.higher++;
			else if (values[i] < ranked.value)
				ranked.lower++;
			else
				ranked.equal++;
			// Passed: more permutations cannot change that. NIST's tool stops here too.
			if (ranked.higher + ranked.equal > extreme && ranked.equal + ranked.lower > extreme) {
				ranked.verdict = Verdict::passed;
				undecided_.reset(i);
			}
		}
	}

	const assess::Symbols &symbols_;
	const Options &options_;
	uint64_t seed_;

	std::mutex mutex_; // guards all below
	std::array<Ranked, statistics> &ranked_;
	Wanted undecided_;
	uint64_t next_ = 0;
	uint64_t merged_ = 0;
	std::map<uint64_t, Values> pending_;
	double from_ = 0;
	double to_ = 1;
};

/// Runs the tests of section 5.1. The compression takes a hundred times as long as all others
/// together, so it comes last.
Result<void> permute(const assess::Symbols &symbols, const Options &options, Assessment &result)
{
	uint64_t seed = 0;
	if (options.seed)
		seed = *options.seed;
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return fail_errno(errno, "getrandom");

	auto &ranked = result.permutations;
	Values original{};
	Wanted wanted;
	wanted.set();
	Statistics(symbols).compute(sequence(symbols), wanted, original);
	for (size_t i = 0; i < statistics; i++)
		ranked[i].value = original[i];

	PermutationTests tests(symbols, options, seed, ranked);
	constexpr double share_of_the_quick = 0.2;
	wanted.reset(compression);
	tests.rank(wanted, 0, share_of_the_quick);
	if (options.stop.stop_requested())
		return fail(ExitCode::interrupted, "interrupted");

	ranked[compression].verdict = Verdict::not_needed;
	if (compresses_beyond_chance(original[compression], symbols)) {
		ranked[compression].higher = options.permutations;
		ranked[compression].verdict = Verdict::failed;
	} else if (result.permutations_passed() || options.all) {
		ranked[compression].verdict = Verdict::failed;
		wanted.reset();
		wanted.set(compression);
		tests.rank(wanted, share_of_the_quick, 1);
		if (options.stop.stop_requested())
			return fail(ExitCode::interrupted, "interrupted");
	}
	if (options.progress)
		options.progress(1);
	return {};
}

} // namespace

bool Assessment::permutations_passed() const
{
	return std::ranges::none_of(
	    permutations, [](const Ranked &ranked) { return ranked.verdict == Verdict::failed; });
}

bool Assessment::iid() const
{
	return independence.passed() && goodness_of_fit.passed() && longest_repeat.passed &&
	       permutations_passed();
}

Result<Assessment> run_track(const assess::Symbols &symbols, const Options &options)
{
	const uint64_t n = symbols.raw.size();
	const uint64_t most = assess::most_bits / std::max(1U, symbols.bits);
	if (n < Statistics::least_samples || n > most)
		return fail(ExitCode::check_failed,
		            fmt::format("{} samples: the IID track needs {} to {} samples of this width", n,
		                        Statistics::least_samples, most));
	if (symbols.alphabet < 2)
		return fail(ExitCode::check_failed, "all samples are equal: they have no entropy");

	Assessment result;
	result.samples = n;
	result.bits = symbols.bits;
	result.alphabet = symbols.alphabet;
	estimate_entropy(symbols, result);
	result.independence = independence(symbols);
	result.goodness_of_fit = goodness_of_fit(symbols);
	result.longest_repeat = longest_repeat(symbols);
	if (auto permuted = permute(symbols, options, result); !permuted)
		return std::unexpected(permuted.error());
	return result;
}

} // namespace hwrngd::iid
