// SPDX-License-Identifier: GPL-2.0-or-later
// A long life in a short time: feed cycles of the real pipeline, policy and readers, with random
// faults of all kinds. Checks that no rule is violated and that no resource grows.
#include "machine.h"
#include "process/helper.h"
#include "processes.h"
#include "resources.h"

#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <functional>

#include <CLI/CLI.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

namespace hwrngd::soak {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// There are many quarantines, so they are short.
constexpr Backoff backoff{.first = 2ms, .most = 50ms, .forgiven = 200ms};
constexpr auto probe_interval = 50ms;
// Nothing here takes this long, even on a busy machine.
constexpr auto patience = 60s;
// Limits for the growth of a process after the first cycles. The heap is counted exactly, but pages
// may stay resident by chance.
constexpr size_t heap_growth = 256UL * 1024;
constexpr size_t resident_growth = 16UL * 1024 * 1024;
/// Number of bytes or failed reads after which a fault must be noticed. A bias of 1 % takes many
/// blocks.
uint64_t noticed_within(Fault fault)
{
	return fault == Fault::biased ? 4UL << 20U : 256UL << 10U;
}

bool is_ill(Fault fault)
{
	return fault != Fault::none && fault != Fault::slow && fault != Fault::torn;
}

class Soak {
public:
	Soak(uint64_t seed, const std::shared_ptr<Machine> &machine, pid_t helper, Checks &checks)
	    : random_(seed), machine_(machine), helper_(helper), checks_(checks),
	      sink_(machine_->ledger(), checks_, config_),
	      pipeline_(io_, sink_,
	                {.open = [machine](const SourceInfo &info) { return machine->open(info); },
	                 .on_step = [this](const auto &name, const auto &step) { on_step(name, step); },
	                 .on_lost = [this](const auto &) { asio::post(io_, [this] { look(); }); },
	                 .on_feed = [] {},
	                 .on_error = [](const auto &) {}},
	                backoff)
	{
		sink_.watch(pipeline_);
	}

	/// Runs this many cycles, and checks the resources of the process now and then.
	void run(uint64_t cycles)
	{
		constexpr uint64_t looks = 20;
		constexpr uint64_t least = 500; // resting takes about a second
		const auto every = std::max(cycles / looks, least);
		rest();
		auto told = Clock::now();
		for (cycles_ = 0; cycles_ < cycles && !stuck_; cycles_++) {
			if (cycles_ > 0 && cycles_ % every == 0) {
				rest();
				measure(cycles_ >= cycles / 10);
			}
			cycle();
			if (isatty(STDOUT_FILENO) != 0 && Clock::now() - told >= 2s) {
				told = Clock::now();
				fmt::print("{}\r", progress());
				std::fflush(stdout);
			}
		}
		rest();
		measure(true);
		fmt::print("{}\n", progress());
		for (const auto &[fault, times] : faults_)
			fmt::print("  {:<16} {}\n", fault, times);
		fmt::print("  {:<16} {}\n", "reload", reloads_);
		for (const auto &[state, times] : steps_)
			fmt::print("  became {:<11} {} times\n", state, times);
		for (const auto &[name, source] : pipeline_.sources())
			fmt::print("  {:<16} {} KiB read in {} reads, {} KiB fed\n", name,
			           source.counts.bytes_read >> 10U, source.counts.latency.count,
			           source.counts.bytes_fed >> 10U);
		for (const auto &[what, first, last] : {std::tuple{"itself", first_, last_},
		                                        std::tuple{"helper", first_helper_, last_helper_}})
			fmt::print("  {}: first {}\n  {}: last  {}\n", what, text(first), what, text(last));
		pipeline_.feed(); // and end during the reads
	}

private:
	[[nodiscard]] std::string progress() const
	{
		uint64_t faults = 0;
		for (const auto &[fault, times] : faults_)
			faults += times;
		return fmt::format("{} cycles, {} faults, {} feeds, {} MiB fed, {} checks failed", cycles_,
		                   faults, pipeline_.feeds(), sink_.taken >> 20U, checks_.failed());
	}

	[[nodiscard]] bool one_in(uint64_t n) { return random_() % n == 0; }

	void cycle()
	{
		injure();
		if (one_in(200))
			reload(true);
		sink_.refuses = one_in(100);
		sink_.holds.reset();
		if (one_in(20))
			sink_.holds = PoolLevel{.available = static_cast<unsigned>(random_() % 4097),
			                        .threshold = static_cast<unsigned>(random_() % 4097),
			                        .size = 4096};
		if (one_in(100))
			sink_.ready_at = sink_.taken + 4096;
		feed();
		heal();
	}

	/// Makes one feed, and waits until all healthy sources have answered. Sources that are still
	/// being tested, and probes, go on meanwhile, as in a daemon.
	void feed()
	{
		std::map<std::string, uint64_t> asked;
		for (const auto &[name, source] : pipeline_.sources())
			if (source.decision.use == Use::read && source.life.state() == SourceState::healthy)
				asked[name] = answers(source.counts);
		const auto fed = sink_.taken;
		pipeline_.feed();
		run_until([&] {
			const auto answered =
			    std::count_if(asked.begin(), asked.end(), [&](const auto &before) {
				    const auto &source = pipeline_.sources().at(before.first);
				    return source.life.state() != SourceState::healthy ||
				           answers(source.counts) != before.second;
			    });
			return static_cast<size_t>(answered) * 2 >= asked.size();
		});
		checks_.check("each cycle feeds", sink_.refuses || sink_.taken > fed,
		              fmt::format("cycle {}", cycles_));
	}

	static uint64_t answers(const SourceCounts &counts)
	{
		return counts.bytes_read + counts.read_errors;
	}

	void run_until(const std::function<bool()> &done)
	{
		const auto until = Clock::now() + patience;
		do {
			io_.run_one_until(Clock::now() + 50ms);
			io_.poll();
		} while (!done() && Clock::now() < until);
		stuck_ = !done();
		checks_.check("no wait lasts for ever", !stuck_, fmt::format("cycle {}", cycles_));
		if (stuck_)
			for (const auto &[name, source] : pipeline_.sources())
				fmt::print("  {} is {}: {}\n", name, hwrngd::name(source.life.state()),
				           source.life.path().back().reason);
	}

	void injure()
	{
		if (!one_in(10))
			return;
		auto at = machine_->devices().begin();
		std::advance(at, random_() % machine_->devices().size());
		const auto fault = all_faults.at(random_() % all_faults.size());
		auto &[name, device] = *at;
		if (device.fault() != Fault::none || !Machine::suffers(name, fault))
			return;
		unnoticed_[name] = is_ill(fault);
		faults_[soak::name(fault)]++;
		machine_->set(name, fault);
		// udev reports it, or a read fails.
		if (fault == Fault::gone && one_in(2))
			look();
	}

	void heal()
	{
		for (auto &[name, device] : machine_->devices()) {
			const auto fault = device.fault();
			if (fault == Fault::none)
				continue;
			const bool late = unnoticed_[name] && device.given() > noticed_within(fault);
			checks_.check("each fault is noticed", !late,
			              fmt::format("{} of {}", soak::name(fault), name));
			if (late || (!unnoticed_[name] && one_in(8)))
				make_well(name);
		}
	}

	void make_well(const std::string &name)
	{
		const bool back = machine_->devices().at(name).fault() == Fault::gone;
		machine_->set(name, Fault::none);
		if (back)
			look();
	}

	/// Removes all faults. All sources must be healthy in the end.
	void rest()
	{
		sink_.refuses = false;
		sink_.holds.reset();
		for (auto &[name, device] : machine_->devices())
			machine_->set(name, Fault::none);
		reload(false);
		const auto until = Clock::now() + patience;
		const auto feeds = pipeline_.feeds();
		std::string ill;
		do {
			feed();
			run_until([&] { return !pipeline_.busy(); });
			ill.clear();
			for (const auto &[name, source] : pipeline_.sources())
				if (source.life.state() != SourceState::healthy)
					ill += fmt::format(" {} is {}: {}.", name, hwrngd::name(source.life.state()),
					                   source.life.path().back().reason);
		} while (!ill.empty() && !stuck_ && Clock::now() < until);
		// Sources that were read before the reload are opened again.
		feed();
		run_until([&] { return !pipeline_.busy(); });
		checks_.check("the pool is reseeded", pipeline_.feeds() > feeds);
		stuck_ = stuck_ || !ill.empty();
		checks_.check("a source without a fault becomes healthy again",
		              ill.empty() && pipeline_.states().size() == machine_->devices().size() + 1,
		              ill);
	}

	void measure(bool warm)
	{
		auto now = resources_of(getpid());
		// Abandoned threads end when their read ends.
		for (int i = 0; i < 500 && warm && first_.threads != 0 && !same(now, first_); i++) {
			std::this_thread::sleep_for(10ms);
			now = resources_of(getpid());
		}
		last_ = now;
		last_helper_ = resources_of(helper_);
		if (!warm)
			return;
		if (first_.threads == 0) {
			first_ = last_;
			first_helper_ = last_helper_;
		}
		compare("", first_, last_);
		compare("the helper's ", first_helper_, last_helper_);
	}

	static bool same(const Resources &a, const Resources &b)
	{
		return a.descriptors == b.descriptors && a.threads == b.threads;
	}

	void compare(const std::string &whose, const Resources &first, const Resources &now)
	{
		checks_.check(whose + "number of descriptors does not change",
		              now.descriptors == first.descriptors, text(now));
		checks_.check(whose + "number of threads does not change", now.threads == first.threads,
		              text(now));
		checks_.check(whose + "heap does not grow", now.heap <= first.heap + heap_growth,
		              text(now));
		checks_.check(whose + "resident memory does not grow",
		              now.resident <= first.resident + resident_growth, text(now));
	}

	/// Reloads as a daemon on SIGHUP, with another configuration or the first one.
	void reload(bool other)
	{
		std::string text = fmt::format(
		    "rng_current = \"leave\"\nmodules = []\nfeed_bytes = {}\n"
		    "[source.fifo]\npath = \"/run/fifo\"\ncredit = {}\n"
		    "[source.file]\npath = \"/var/file\"\ncredit = 100\n"
		    "[source.serial]\npath = \"/dev/serial\"\nspeed = 115200\n"
		    "[source.program]\ncredit = 1\n"
		    "command = [\"dd\", \"if={}\", \"bs=4096\", \"count=200\", \"status=none\"]\n"
		    "[source.\"*_rng.*\"]\nassessed = {}\n",
		    other ? 1 + random_() % 256 : 128, other ? random_() % 1025 : 512,
		    machine_->tree().at("/run/program").string(), other ? random_() % 1025 : 256);
		if (!other || one_in(2))
			text.insert(0, "prefer = [\"jitter\"]\n");
		if (other && one_in(2))
			text.insert(0, "deny = [\"fi*\"]\n");
		machine_->tree().file("/etc/hwrngd.conf", text);
		auto config = read_config(machine_->root());
		checks_.check("the configuration is read", config.has_value(),
		              config ? "" : config.error().message);
		if (!config)
			return;
		config_ = std::move(*config);
		config_.probe_interval = probe_interval;
		reloads_++;
		machine_->sources().close_all();
		pipeline_.configure(config_);
		look();
	}

	void look()
	{
		const auto lock = HwrngSysfs(machine_->root()).lock(patience);
		checks_.check("the lock of the hwrng framework is free in the end", lock.has_value());
		inventory_ = machine_->inventory(config_);
		redecide();
	}

	void redecide()
	{
		const auto decision = decide(inventory_, config_, pipeline_.states(), std::nullopt);
		std::set<std::string> read;
		for (const auto &decided : decision.sources)
			if (decided.use == Use::read)
				read.insert(decided.source.name);
		machine_->sources().keep_only(std::move(read));
		pipeline_.apply(decision);
	}

	void on_step(const std::string &name, const Step &step)
	{
		steps_[hwrngd::name(step.to)]++;
		const bool bad = step.to == SourceState::suspect || step.to == SourceState::quarantined;
		if (bad || step.to == SourceState::absent)
			unnoticed_[name] = false;
		if (bad || step.from == SourceState::quarantined)
			asio::post(io_, [this] { redecide(); });
	}

	std::mt19937_64 random_;
	std::shared_ptr<Machine> machine_;
	pid_t helper_;
	Checks &checks_;
	asio::io_context io_{1};
	asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
	Config config_;
	Inventory inventory_;
	WatchingSink sink_;
	std::map<std::string, bool> unnoticed_; ///< a faulty source whose state has not changed yet
	std::map<std::string, uint64_t> faults_;
	std::map<std::string, uint64_t> steps_; ///< by state
	uint64_t cycles_ = 0;
	uint64_t reloads_ = 0;
	bool stuck_ = false;
	Resources first_; ///< after the first cycles
	Resources last_;
	Resources first_helper_;
	Resources last_helper_;
	Pipeline pipeline_;
};

bool run(uint64_t cycles, uint64_t seed)
{
	Checks checks;
	std::thread([] {}).join(); // with the first thread a sanitizer starts its own
	const auto before = resources_of(getpid());
	{
		const auto machine = std::make_shared<Machine>(seed);
		const auto helper = Helper::start(machine->root(), "/no module is loaded");
		if (!helper)
			throw std::runtime_error(helper.error().message);
		machine->ask(*helper);
		Soak(seed, machine, test::children().front(), checks).run(cycles);
	}
	wait(nullptr); // for the helper, which ends without its daemon
	auto after = resources_of(getpid());
	for (int i = 0; i < 500 && after.threads != before.threads; i++) {
		std::this_thread::sleep_for(10ms);
		after = resources_of(getpid());
	}
	checks.check("all threads end", after.threads == before.threads, text(after));
	checks.check("all descriptors are closed", after.descriptors == before.descriptors,
	             text(after));
	checks.check("all children end", test::children().empty());
	return checks.report();
}

} // namespace

} // namespace hwrngd::soak

int main(int argc, char **argv)
try {
	CLI::App app("Feeds again and again from sources that fail, and checks the results.");
	uint64_t cycles = 100'000;
	uint64_t seed = std::random_device{}();
	app.add_option("--cycles", cycles, "Number of feeds")->capture_default_str();
	app.add_option("--seed", seed, "Seed for the random choice of faults (default: random)");
	CLI11_PARSE(app, argc, argv);
	std::signal(SIGPIPE, SIG_IGN);
	fmt::print("{} cycles, seed {}\n", cycles, seed);
	std::fflush(stdout);
	return hwrngd::soak::run(cycles, seed) ? 0 : 1;
} catch (const std::exception &error) {
	std::fputs("FAIL ", stdout);
	std::fputs(error.what(), stdout);
	std::fputs("\n0 passed, 1 failed, 0 skipped\n", stdout);
	return 1;
}
