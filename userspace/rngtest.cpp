// SPDX-License-Identifier: GPL-2.0-or-later
// rngtest: tests standard input by FIPS 140-2. A drop-in replacement for the rngtest of rng-tools:
// options, output and exit codes are those of rng-tools 6.17, so that scripts need no change.
#include "base/secret_buffer.h"
#include "health/fips140_2.h"

#include <argp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <fmt/format.h>

const char *argp_program_version = // NOLINT: argp's interface
    "rngtest (hwrngd) " HWRNGD_VERSION "\n"
    "Copyright (c) 2026 the authors of hwrngd\n"
    "License GPL-2.0-or-later. There is NO WARRANTY, to the extent permitted by law.";

namespace hwrngd {

namespace {

using namespace fips140_2;
using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

enum Exit : int { passed = 0, failed = 1, usage = 10, io_error = 11, os_error = 12 };

constexpr size_t blocks_per_read = 100;

/// 0 means "no limit" or "never".
struct Options {
	uint64_t block_count = 0;
	uint64_t block_stats = 0;
	std::chrono::seconds timed_stats{0};
	bool pipe = false;
};

volatile std::sig_atomic_t caught = 0; // NOLINT: a signal handler needs a global variable

/// A signal that arrives just before read(2) or write(2) does not interrupt them, so SIGALRM
/// follows every second.
extern "C" void on_signal(int number)
{
	if (number != SIGALRM)
		caught = number;
	alarm(1);
}

void report(const std::string &text)
{
	fmt::print(stderr, "rngtest: {}\n", text);
}

/// The speed of a channel, computed from the time for each block.
class Speed {
public:
	void add(uint64_t blocks, Clock::duration duration)
	{
		const Microseconds a_block = Microseconds(duration) / static_cast<double>(blocks);
		least_ = blocks_ == 0 ? a_block : std::min(least_, a_block);
		most_ = std::max(most_, a_block);
		sum_ += duration;
		blocks_ += blocks;
	}

	/// Text such as "(min=1.000; avg=2.500; max=3.000)Mibits/s".
	[[nodiscard]] std::string text() const
	{
		constexpr std::array<const char *, 7> units{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
		const auto speed = [](double blocks, Microseconds time) {
			return time.count() > 0 ? blocks * block_bytes * 8 * 1e6 / time.count() : 0;
		};
		double min = speed(1, most_);
		double avg = speed(static_cast<double>(blocks_), sum_);
		double max = speed(1, least_);
		size_t unit = 0;
		for (; unit + 1 < units.size() && std::min({min, avg, max}) >= 1024; unit++) {
			min /= 1024;
			avg /= 1024;
			max /= 1024;
		}
		return fmt::format("(min={:.3f}; avg={:.3f}; max={:.3f}){}bits/s", min, avg, max,
		                   units[unit]);
	}

private:
	Microseconds least_{0};
	Microseconds most_{0};
	Microseconds sum_{0};
	uint64_t blocks_ = 0;
};

class Rngtest {
public:
	explicit Rngtest(const Options &options) : options_(options) {}

	int run()
	{
		if (!options_.pipe) {
			fmt::print(stderr, "{}\n\n", argp_program_version);
			report("starting FIPS tests...");
		}
		// With -p, one word is discarded before the word that starts the continuous test.
		const size_t discarded = options_.pipe ? bootstrap_bytes : 0;
		if (!read_to(discarded + bootstrap_bytes, discarded + bootstrap_bytes))
			return failed;
		Tester tester(buffer().subspan(discarded).first<bootstrap_bytes>());
		received_ += have_;
		have_ = 0;

		while (caught == 0 && !done() && read_blocks() && test_blocks(tester)) {
		}
		received_ += have_;
		print_statistics();
		if (error_)
			return *error_;
		return fips_.failures > 0 || fips_.blocks == 0 ? failed : passed;
	}

private:
	[[nodiscard]] std::span<uint8_t> buffer() { return buffer_.span(); }

	[[nodiscard]] bool done() const
	{
		return options_.block_count > 0 && fips_.blocks >= options_.block_count;
	}

	/// Reads until the buffer has at least `least` and at most `most` bytes. Returns false at the
	/// end of the input, after an error or a signal.
	bool read_to(size_t least, size_t most)
	{
		while (have_ < least) {
			const ssize_t n = read(STDIN_FILENO, &buffer()[have_], most - have_);
			if (n > 0) {
				have_ += static_cast<size_t>(n);
			} else if (n == 0) {
				if (!options_.pipe)
					report("entropy source drained");
				return false;
			} else if (!try_again(STDIN_FILENO, POLLIN, "error reading input")) {
				return false;
			}
		}
		return true;
	}

	/// Reads at least one block, and no more blocks than still need testing.
	bool read_blocks()
	{
		uint64_t wanted = blocks_per_read;
		if (options_.block_count > 0)
			wanted = std::min(wanted, options_.block_count - fips_.blocks);
		const auto start = Clock::now();
		if (!read_to(block_bytes, static_cast<size_t>(wanted) * block_bytes))
			return false;
		input_.add(have_ / block_bytes, Clock::now() - start);
		return true;
	}

	/// Tests the complete blocks in the buffer and passes good ones on. Returns false if they could
	/// not be written.
	bool test_blocks(Tester &tester)
	{
		const size_t end = have_ / block_bytes;
		for (size_t first = 0; first < end;) {
			uint64_t n = end - first;
			if (options_.block_stats > 0)
				n = std::min(n, options_.block_stats - since_statistics_);
			const size_t next = first + static_cast<size_t>(n);
			const auto start = Clock::now();
			for (size_t i = first; i < next; i++)
				verdicts_[i] = tester.test(buffer().subspan(i * block_bytes).first<block_bytes>());
			tests_.add(n, Clock::now() - start);
			if (!account(first, next)) {
				have_ = 0;
				return false;
			}
			first = next;
			if (!done())
				print_statistics_if_due(n);
		}
		have_ -= end * block_bytes;
		std::memmove(buffer().data(), &buffer()[end * block_bytes], have_);
		return true;
	}

	/// Counts the blocks from `first` to `end`. With -p, writes the good ones first.
	bool account(size_t first, size_t end)
	{
		while (first < end) {
			size_t next = first + 1;
			bool written = true;
			if (options_.pipe && verdicts_[first] == 0) {
				while (next < end && verdicts_[next] == 0)
					next++;
				const size_t bytes = (next - first) * block_bytes;
				const auto start = Clock::now();
				const size_t sent = write_all(buffer().subspan(first * block_bytes, bytes));
				written = sent == bytes;
				sent_ += sent;
				if (written)
					output_.add(next - first, Clock::now() - start);
				else // the block that could not be written was good, and counts
					next = first + sent / block_bytes + 1;
			}
			for (; first < next; first++) {
				fips_.add(verdicts_[first]);
				received_ += block_bytes;
			}
			if (!written)
				return false;
		}
		return true;
	}

	/// Returns the number of bytes that could be written.
	size_t write_all(std::span<const uint8_t> bytes)
	{
		size_t sent = 0;
		while (sent < bytes.size()) {
			const ssize_t n = write(STDOUT_FILENO, &bytes[sent], bytes.size() - sent);
			if (n > 0) {
				sent += static_cast<size_t>(n);
			} else if (n == 0) {
				report("write channel stuck");
				error_ = io_error;
				break;
			} else if (!try_again(STDOUT_FILENO, POLLOUT, "error writing to output")) {
				break;
			}
		}
		return sent;
	}

	/// Handles a failed system call. Waits if it would have blocked, and reports other errors.
	/// Returns true if the call must be repeated.
	bool try_again(int fd, short event, const char *what)
	{
		const int number = errno;
		if (caught != 0)
			return false;
		if (number == EAGAIN) {
			pollfd waiting{fd, event, 0};
			poll(&waiting, 1, -1);
		}
		if (number == EAGAIN || number == EINTR)
			return caught == 0;
		report(fmt::format("{}: {}", what, std::generic_category().message(number)));
		error_ = io_error;
		return false;
	}

	void print_statistics_if_due(uint64_t tested)
	{
		since_statistics_ += tested;
		const bool by_blocks =
		    options_.block_stats > 0 && since_statistics_ >= options_.block_stats;
		const bool by_time = options_.timed_stats.count() > 0 &&
		                     Clock::now() - last_statistics_ > options_.timed_stats;
		if (!by_blocks && !by_time)
			return;
		print_statistics();
		last_statistics_ = Clock::now();
		since_statistics_ = 0;
	}

	void print_statistics() const
	{
		report(fmt::format("bits received from input: {}", received_ * 8));
		if (options_.pipe)
			report(fmt::format("bits sent to output: {}", sent_ * 8));
		report(fmt::format("FIPS 140-2 successes: {}", fips_.blocks - fips_.failures));
		report(fmt::format("FIPS 140-2 failures: {}", fips_.failures));
		for (const auto test : all_tests)
			report(fmt::format("FIPS 140-2(2001-10-10) {}: {}", name(test), fips_.of(test)));
		report("input channel speed: " + input_.text());
		report("FIPS tests speed: " + tests_.text());
		if (options_.pipe)
			report("output channel speed: " + output_.text());
		report(fmt::format("Program run time: {:.0f} microseconds",
		                   Microseconds(Clock::now() - begin_).count()));
	}

	Options options_;
	SecretBuffer buffer_{blocks_per_read * block_bytes}; // with -p these bytes serve as keys
	size_t have_ = 0; ///< bytes in the buffer that have not been tested
	std::array<uint8_t, blocks_per_read> verdicts_{};
	uint64_t received_ = 0;
	uint64_t sent_ = 0;
	Statistics fips_;
	Speed input_;
	Speed tests_;
	Speed output_;
	uint64_t since_statistics_ = 0;
	Clock::time_point begin_ = Clock::now();
	Clock::time_point last_statistics_ = begin_;
	std::optional<Exit> error_;
};

error_t parse_option(int key, char *argument, argp_state *state)
{
	auto &options = *static_cast<Options *>(state->input);
	const auto number = [&] {
		uint64_t n = 0;
		const char *end = argument + std::strlen(argument);
		const auto [rest, error] = std::from_chars(argument, end, n);
		if (error != std::errc() || rest != end || n > UINT32_MAX)
			argp_usage(state);
		return n;
	};
	switch (key) {
	case 'c':
		options.block_count = number();
		return 0;
	case 'b':
		options.block_stats = number();
		return 0;
	case 't':
		options.timed_stats = std::chrono::seconds(number());
		return 0;
	case 'p':
		options.pipe = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

Options parse(int argc, char **argv)
{
	static constexpr std::array<argp_option, 5> known{{
	    {"blockcount", 'c', "n", 0, "End after n blocks (default: 0, at the end of the input)", 0},
	    {"pipe", 'p', nullptr, 0, "Copy the good blocks to standard output, and be quiet", 0},
	    {"timedstats", 't', "n", 0, "Print statistics every n seconds (default: 0, never)", 0},
	    {"blockstats", 'b', "n", 0, "Print statistics every n blocks (default: 0, never)", 0},
	    {nullptr, 0, nullptr, 0, nullptr, 0},
	}};
	const struct argp parser = {
	    known.data(),
	    parse_option,
	    nullptr,
	    "Tests standard input, in blocks of 20,000 bits, by FIPS 140-2."
	    "\vStatistics and messages go to standard error. Exit status: 0 when all blocks passed, "
	    "1 when one failed or there was none, 10 usage, 11 input or output, 12 operating system.",
	    nullptr,
	    nullptr,
	    nullptr};
	Options options;
	argp_err_exit_status = usage;
	argp_parse(&parser, argc, argv, 0, nullptr, &options);
	return options;
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	const Options options = parse(argc, argv);
	struct sigaction action = {};
	action.sa_handler = on_signal; // without SA_RESTART, so that a blocked read(2) ends
	for (const int number : {SIGTERM, SIGINT, SIGALRM})
		if (sigaction(number, &action, nullptr) < 0) {
			report(fmt::format("signal {}: {}", number, std::generic_category().message(errno)));
			return os_error;
		}
	return Rngtest(options).run();
} catch (const std::exception &error) {
	std::fprintf(stderr, "rngtest: %s\n", error.what()); // NOLINT: there may be no memory for more
	return hwrngd::os_error;
}
