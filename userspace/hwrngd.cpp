// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd: feeds the kernel's pool from all healthy sources, for as long as the machine runs. Wires
// the rooms together; nothing else does.
#include "config.h"
#include "control/inventory.h"
#include "control/open_source.h"
#include "control/policy.h"
#include "control/udev_monitor.h"
#include "interrupt.h"
#include "mailbox.h"
#include "pool/kernel_pool.h"
#include "pool/pipeline.h"
#include "serve/status.h"
#include "write_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// While the kernel's CRNG is not ready.
constexpr std::chrono::milliseconds unready_interval = 1s;
// What tells nobody that it changed is looked at so often.
constexpr auto look_interval = 60s;
// The hwrng that we have chosen, for the next daemon, should this one be killed.
constexpr const char *chosen_file = "/run/hwrngd/chosen";
// Another program of ours may be visiting a slow TPM.
constexpr auto lock_limit = 60s;

/// Priorities of syslog(3), as sd-daemon(3) reads them at the beginning of a line.
enum class Priority : uint8_t { error = 3, warning = 4, notice = 5, info = 6 };

void log(Priority priority, const std::string &message)
{
	// systemd tells by this variable that the journal reads what we print.
	static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr; // NOLINT: no threads yet
	if (journal)
		fmt::print(stderr, "<{}>{}\n", static_cast<int>(priority), message);
	else
		fmt::print(stderr, "hwrngd: {}\n", message);
}

class HwrngReading : public Reading {
public:
	explicit HwrngReading(OpenSource opened) : opened_(std::move(opened)) {}
	[[nodiscard]] Source &source() override { return opened_.source(); }
	[[nodiscard]] Result<void> end(bool /*failed*/) override { return opened_.close(); }

private:
	OpenSource opened_;
};

/// Sources that stay open between harvests: a generator's bytes are not lost, a command goes on.
/// Shared with the threads that read them.
class OpenSources {
public:
	struct Kept {
		std::unique_ptr<Source> source; ///< none: it has to be opened
		unsigned generation = 0;
	};

	[[nodiscard]] Kept take(const std::string &name)
	{
		const std::lock_guard lock(mutex_);
		return {std::exchange(sources_[name], nullptr), generation_};
	}

	/// Those that were taken before close_all() go.
	void keep(const std::string &name, Kept kept)
	{
		const std::lock_guard lock(mutex_);
		if (kept.generation == generation_)
			sources_[name] = std::move(kept.source);
	}

	void close_all()
	{
		const std::lock_guard lock(mutex_);
		generation_++;
		sources_.clear();
	}

private:
	std::mutex mutex_; // guards all below
	std::map<std::string, std::unique_ptr<Source>> sources_;
	unsigned generation_ = 0;
};

class KeptReading : public Reading {
public:
	KeptReading(std::string name, OpenSources::Kept kept, std::shared_ptr<OpenSources> keeper)
	    : name_(std::move(name)), kept_(std::move(kept)), keeper_(std::move(keeper))
	{
	}
	[[nodiscard]] Source &source() override { return *kept_.source; }
	[[nodiscard]] Result<void> end(bool failed) override
	{
		if (!failed)
			keeper_->keep(name_, std::move(kept_));
		return {};
	}

private:
	std::string name_;
	OpenSources::Kept kept_;
	std::shared_ptr<OpenSources> keeper_;
};

class Daemon {
public:
	Daemon(Root root, Config config, KernelPool pool)
	    : root_(std::move(root)), config_(std::move(config)), pool_(std::move(pool)), signals_(io_),
	      next_feed_(io_),
	      pipeline_(io_, pool_,
	                {.open = [root = root_, kept = kept_](
	                             const SourceInfo &info) { return open(root, kept, info); },
	                 .on_step = [this](const auto &name, const auto &step) { on_step(name, step); },
	                 .on_lost = [this](const auto &) { look(); },
	                 .on_error = [this](const auto &error) { on_error(error); }})
	{
		pipeline_.configure(config_);
	}

	Result<void> run()
	{
		if (auto listening = listen(); !listening)
			return listening;
		follow_devices();
		for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
			signals_.add(number);
		wait_for_signal();
		chosen_ = root_.read_if_any(chosen_file);
		control_.run([root = root_] { recover(root); });
		look();
		control_.run([root = root_, modules = config_.modules] { load_modules(root, modules); });
		look();
		io_.run();
		return end();
	}

private:
	static Result<std::unique_ptr<Reading>>
	open(const Root &root, const std::shared_ptr<OpenSources> &keeper, const SourceInfo &info)
	{
		if (info.kind == SourceKind::hwrng) {
			// Only what decides whether the framework may be switched.
			Inventory inventory;
			if (auto state = HwrngSysfs(root).read())
				inventory.hwrng = std::move(*state);
			auto opened = OpenSource::open(root, inventory, info);
			if (!opened)
				return std::unexpected(opened.error());
			return std::make_unique<HwrngReading>(std::move(*opened));
		}
		auto kept = keeper->take(info.name);
		if (!kept.source) {
			auto opened = open_alone(root, info);
			if (!opened)
				return std::unexpected(opened.error());
			kept.source = std::move(*opened);
		}
		return std::make_unique<KeptReading>(info.name, std::move(kept), keeper);
	}

	/// Puts back what a visitor left that was killed. In the control thread.
	static void recover(const Root &root)
	{
		const auto lock = HwrngSysfs(root).lock(lock_limit);
		if (!lock && lock.error().code == ExitCode::no_source)
			return; // no framework
		const auto done = lock ? Visit::recover(root) : std::unexpected(lock.error());
		if (!done)
			log(Priority::warning, done.error().message);
	}

	/// In the control thread.
	static void load_modules(const Root &root, const std::vector<std::string> &names)
	{
		const auto inventory = take_inventory(root, Config());
		const auto modules = KernelModules::open(root, inventory.kernel);
		if (!modules) {
			log(Priority::warning, modules.error().message);
			return;
		}
		for (const auto &name : names) {
			const auto state = modules->inspect(name);
			if (state.loaded || state.builtin)
				continue;
			if (const auto loaded = modules->load(name); loaded)
				log(Priority::info, fmt::format("loaded the module {}", name));
			else
				log(Priority::notice, loaded.error().message);
		}
	}

	Result<void> listen()
	{
		if (config_.status_socket.empty())
			return {};
		auto status = StatusSocket::listen(io_, root_.at(config_.status_socket),
		                                   [this] { return status_text(); });
		if (!status)
			return std::unexpected(status.error());
		status_ = std::move(*status);
		return {};
	}

	/// A look each minute finds everything too, only later.
	void follow_devices()
	{
		auto monitor = UdevMonitor::open(io_, [this] { look(); });
		if (monitor)
			devices_ = std::move(*monitor);
		else
			log(Priority::warning, monitor.error().message);
	}

	std::string status_text()
	{
		return status_document({.version = HWRNGD_VERSION,
		                        .started = started_,
		                        .crng_ready = crng_ready(),
		                        .rng_current = inventory_.hwrng ? inventory_.hwrng->current : "",
		                        .rng_reason = decision_.reason,
		                        .rng_chosen = chosen_,
		                        .reseed_interval = config_.reseed_interval,
		                        .config_error = config_error_},
		                       pipeline_)
		           .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
		       "\n";
	}

	/// Looks at the machine, in the control thread, where a stalled framework stalls nobody else.
	void look()
	{
		look_again_ = looking_;
		if (looking_)
			return;
		looking_ = true;
		control_.run([this, root = root_, config = config_, mailbox = mailbox_] {
			// A visit must not be taken for the choice. Without a framework there is no lock.
			const auto lock = HwrngSysfs(root).lock(lock_limit);
			mailbox->post([this, inventory = take_inventory(root, config)] { saw(inventory); });
		});
	}

	/// Looks at the framework alone, which is cheap, and at the rest if that has changed.
	void glance()
	{
		if (looking_)
			return;
		looking_ = true;
		control_.run([this, root = root_, mailbox = mailbox_] {
			const auto lock = HwrngSysfs(root).lock(lock_limit);
			const auto state = HwrngSysfs(root).read();
			mailbox->post([this, now = state ? std::optional(*state) : std::nullopt] {
				looking_ = false;
				if (look_again_ || now != inventory_.hwrng)
					look();
			});
		});
	}

	void saw(const Inventory &inventory)
	{
		looking_ = false;
		looked_ = std::chrono::steady_clock::now();
		const bool first = inventory_.kernel.empty();
		const bool changed = !first && available(inventory) != available(inventory_);
		inventory_ = inventory;
		if (changed)
			refused_.clear();
		redecide();
		if (first)
			tick();
		if (look_again_)
			look();
	}

	static std::vector<std::string> available(const Inventory &inventory)
	{
		return inventory.hwrng ? inventory.hwrng->available : std::vector<std::string>{};
	}

	void redecide()
	{
		decision_ = decide(inventory_, config_, pipeline_.states(), chosen_);
		pipeline_.apply(decision_);
		if (decision_.select && *decision_.select != refused_)
			select(*decision_.select, decision_.reason);
	}

	/// Makes `name` the kernel's hwrng. The file comes first: there shall be no moment in which the
	/// choice is ours and a killed daemon's successor would not know. In the control thread.
	static Result<void> select_as_ours(const Root &root, const std::string &name)
	{
		const HwrngSysfs sysfs(root);
		const auto lock = sysfs.lock(lock_limit);
		if (!lock)
			return std::unexpected(lock.error());
		const auto before = root.read_if_any(chosen_file);
		if (auto kept = write_file(root.at(chosen_file), name + "\n"); !kept)
			return kept;
		auto done = sysfs.select(name);
		if (!done)
			if (auto undone =
			        before ? write_file(root.at(chosen_file), *before + "\n") : forget_choice(root);
			    !undone)
				done.error().message += "; " + undone.error().message;
		return done;
	}

	static Result<void> forget_choice(const Root &root)
	{
		std::error_code error;
		std::filesystem::remove(root.at(chosen_file), error);
		if (error)
			return fail_errno(error.value(), root.at(chosen_file).string());
		return {};
	}

	void select(const std::string &name, const std::string &reason)
	{
		refused_ = name; // until it is done, or for good
		control_.run([this, root = root_, mailbox = mailbox_, name, reason] {
			const auto done = select_as_ours(root, name);
			mailbox->post([this, name, reason, done] {
				if (!done) {
					log(Priority::warning, done.error().message);
					return;
				}
				chosen_ = name;
				refused_.clear();
				log(Priority::notice,
				    fmt::format("the kernel's hwrng is now {}: {}", name, reason));
				look();
			});
		});
	}

	void tick()
	{
		pipeline_.feed();
		auto interval = config_.reseed_interval;
		if (!pool_.ready())
			interval = std::min(interval, unready_interval);
		// Machines that were started together shall not ask their host together.
		std::uniform_real_distribution<double> around(0.9, 1.1);
		next_feed_.expires_after(
		    std::chrono::duration_cast<std::chrono::microseconds>(interval * around(jitter_)));
		next_feed_.async_wait([this](const asio::error_code &error) {
			if (error)
				return;
			if (std::chrono::steady_clock::now() - looked_ >= look_interval)
				look();
			else
				glance();
			tick();
		});
	}

	void on_step(const std::string &name, const Step &step)
	{
		const bool bad = step.to == SourceState::suspect || step.to == SourceState::quarantined;
		log(bad ? Priority::warning : Priority::info,
		    fmt::format("{}: {}, was {}: {}", name, hwrngd::name(step.to), hwrngd::name(step.from),
		                step.reason));
		if (bad || step.from == SourceState::quarantined)
			asio::post(io_, [this] { redecide(); });
	}

	void on_error(const Error &error)
	{
		if (error.message != last_error_)
			log(Priority::error, error.message);
		last_error_ = error.message;
	}

	void wait_for_signal()
	{
		signals_.async_wait([this](const asio::error_code &error, int number) {
			if (error)
				return;
			if (number == SIGTERM || number == SIGINT) {
				interrupt_reads(number);
				io_.stop();
				return;
			}
			if (number == SIGHUP)
				reload();
			else
				pipeline_.feed();
			wait_for_signal();
		});
	}

	void reload()
	{
		auto config = read_config(root_);
		if (!config) {
			config_error_ = config.error().message;
			log(Priority::error, fmt::format("{}; the old configuration stays", *config_error_));
			return;
		}
		config_error_.reset();
		config_ = std::move(*config);
		refused_.clear();
		kept_->close_all();
		pipeline_.configure(config_);
		log(Priority::info, "the configuration was read again");
		redecide();
		look(); // there may be generators that were not configured
		next_feed_.cancel();
		tick();
	}

	/// Gives readers a moment, waits for whoever has changed the framework to put it back, and
	/// hands the choice of the hwrng back if it was ours.
	Result<void> end()
	{
		constexpr auto readers_limit = 150ms;
		constexpr auto framework_limit = 10s;
		const auto until = std::chrono::steady_clock::now() + readers_limit;
		io_.restart();
		while (pipeline_.busy() && io_.run_one_until(until) > 0)
			;
		mailbox_->close();
		const HwrngSysfs sysfs(root_);
		const auto lock = sysfs.lock(framework_limit, HwrngSysfs::Purpose::put_back);
		if (!lock)
			return lock.error().code == ExitCode::no_source // no framework
			           ? Result<void>{}
			           : std::unexpected(lock.error());
		if (auto recovered = Visit::recover(root_); !recovered)
			return recovered;
		const auto chosen = root_.read_if_any(chosen_file);
		if (!chosen)
			return {};
		const auto state = sysfs.read();
		if (!state)
			return std::unexpected(state.error());
		if (state->selected && state->current == *chosen)
			if (auto handed_back = sysfs.select_automatically(); !handed_back)
				return handed_back;
		return forget_choice(root_);
	}

	Root root_;
	Config config_;
	KernelPool pool_;
	asio::io_context io_{1};
	std::shared_ptr<OpenSources> kept_ = std::make_shared<OpenSources>();
	std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(io_); ///< of the control thread
	asio::signal_set signals_;
	asio::steady_timer next_feed_;
	Time started_ = std::chrono::steady_clock::now();
	Inventory inventory_;
	Decision decision_;
	std::optional<std::string> chosen_;
	bool looking_ = false;    ///< the control thread is at it
	bool look_again_ = false; ///< afterwards
	Time looked_;
	std::string refused_; ///< a hwrng that need not be selected again
	std::optional<std::string> config_error_;
	std::string last_error_;
	std::minstd_rand jitter_{std::random_device{}()};
	std::unique_ptr<StatusSocket> status_;
	std::unique_ptr<UdevMonitor> devices_;
	Pipeline pipeline_;
	Worker control_; ///< for all that asks the framework, which may hang
};

/// Bytes that will be somebody's keys are neither swapped out nor dumped with a crash, and nothing
/// that is started from here gets more rights than we have.
void protect_process()
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		log(Priority::warning, fail_errno(errno, "prctl").error().message);
	// What is used, as it is used: all of the libraries would be megabytes.
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log(Priority::warning,
		    fail_errno(errno, "memory with random bytes cannot be locked").error().message);
}

/// One daemon for each machine: the second would be told the first one's sources are taken.
Result<FileDescriptor> lock_out_others(const Root &root)
{
	std::error_code failed;
	std::filesystem::create_directories(root.at("/run/hwrngd"), failed);
	if (failed)
		return fail_errno(failed.value(), root.at("/run/hwrngd").string());
	auto fd = root.open("/run/hwrngd/lock", O_RDWR | O_CREAT);
	if (!fd)
		return fd;
	if (flock(fd->get(), LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? Result<FileDescriptor>(
		                                  fail(ExitCode::unavailable,
		                                       "another hwrngd is running; `hwrngctl status` shows "
		                                       "what it does"))
		                            : fail_errno(errno, root.at("/run/hwrngd/lock").string());
	return fd;
}

Result<void> run(const Root &root, bool check)
{
	auto config = read_config(root);
	if (!config)
		return std::unexpected(config.error());
	if (check) {
		fmt::print("The configuration is well-formed.\n");
		return {};
	}
	auto pool = KernelPool::open(root);
	if (!pool)
		return std::unexpected(pool.error());
	const auto lock = lock_out_others(root);
	if (!lock)
		return std::unexpected(lock.error());
	protect_process();
	Daemon daemon(root, std::move(*config), std::move(*pool));
	return daemon.run();
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	CLI::App app(
	    "Feeds the kernel's pool from all healthy sources of randomness, and watches them.");
	std::string root = "/";
	bool check = false;
	app.name("hwrngd");
	app.set_version_flag("-V,--version", "hwrngd " HWRNGD_VERSION);
	app.add_flag("--check-config", check,
	             "Read the configuration, say what is wrong with it, and end");
	app.add_option("--root", root, "Look for /etc, /sys, /proc, /dev, /run below this folder")
	    ->default_str("/");
	app.footer("Stays in the foreground. Signals: SIGHUP reads the configuration again, SIGUSR1\n"
	           "feeds now, SIGTERM ends it. `hwrngctl status` shows what it does. See hwrngd(8).");
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		if (error.get_exit_code() == 0)
			return app.exit(error);
		fmt::print(stderr, "hwrngd: {}; see `hwrngd --help`\n", error.what());
		return static_cast<int>(ExitCode::usage);
	}
	std::signal(SIGPIPE, SIG_IGN);
	const auto done = run(Root(root), check);
	if (done)
		return 0;
	fmt::print(stderr, "hwrngd: {}\n", done.error().message);
	return static_cast<int>(done.error().code);
} catch (const std::exception &error) {
	std::fputs("hwrngd: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
