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

constexpr uint64_t extreme = 5; // section 5, step 3: ranks so near to an end are a failure

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

/// The logarithm to the base 2 of how many sequences the samples can be arranged to.
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

/// True when no permutation that one will ever see compresses to `size` bytes or less.
///
/// What bzip2 makes of two sequences differs, since it can be undone: at most 2^(8 size + 1)
/// sequences become so short. When there are 2^128 times as many arrangements of the samples, the
/// chance that a random one is among those is below 2^-128.
bool compresses_beyond_chance(double size, const assess::Symbols &symbols)
{
	return 8 * size + 1 + 128 <= arrangements_log2(symbols);
}

/// Ranks statistics of the samples among those of random permutations, on all cores.
class PermutationTests {
public:
	PermutationTests(const assess::Symbols &symbols, const Options &options, uint64_t seed,
	                 std::array<Ranked, statistics> &ranked)
	    : symbols_(symbols), options_(options), seed_(seed), ranked_(ranked)
	{
	}

	/// Ranks these statistics until each has passed, or all permutations were made. Reports
	/// progress from one share of the whole work to another.
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

	/// Counts in the order of the permutations, whoever is ready first: then the counts depend on
	/// the seed alone.
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
			// NIST's tool stops here too: more permutations cannot change it.
			if (ranked.higher + ranked.equal > extreme && ranked.equal + ranked.lower > extreme) {
				ranked.verdict = Verdict::passed;
				undecided_.reset(i);
			}
		}
	}

	const assess::Symbols &symbols_;
	const Options &options_;
	uint64_t seed_;

	std::mutex mutex_; // of all below
	std::array<Ranked, statistics> &ranked_;
	Wanted undecided_;
	uint64_t next_ = 0;
	uint64_t merged_ = 0;
	std::map<uint64_t, Values> pending_;
	double from_ = 0;
	double to_ = 1;
};

/// Section 5.1. The compression takes a hundred times as long as all others, so it comes last.
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
		            fmt::format("{} samples: the IID track takes {} to {} of this width", n,
		                        Statistics::least_samples, most));
	if (symbols.alphabet < 2)
		return fail(ExitCode::check_failed, "all samples are equal: there is no entropy in them");

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
