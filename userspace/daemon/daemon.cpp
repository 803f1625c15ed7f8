// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/daemon.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "control/feeders.h"
#include "control/inventory.h"
#include "control/policy.h"
#include "daemon/clock_monitor.h"
#include "daemon/clone_monitor.h"
#include "daemon/egd_supply.h"
#include "daemon/service_manager.h"
#include "daemon/source_cache.h"
#include "daemon/status_socket.h"
#include "daemon/udev_monitor.h"
#include "kernel/crng.h"
#include "kernel/hwrng_choice.h"
#include "pool/pipeline.h"
#include "process/helper.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <set>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
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
// Another program of ours may be probing a slow TPM.
constexpr auto lock_limit = 60s;
// Who waits for the first feed waits no longer, should every source be slow or sick.
constexpr auto ready_limit = 5s;

class Daemon {
public:
	Daemon(Root root, Config config, KernelPool pool, std::shared_ptr<const Helper> helper,
	       FileDescriptor egd)
	    : root_(std::move(root)), config_(std::move(config)), pool_(std::move(pool)),
	      helper_(std::move(helper)), signals_(io_), helper_end_(io_), next_feed_(io_),
	      ready_limit_(io_), source_cache_(std::make_shared<SourceCache>(root_)),
	      pipeline_(io_, pool_,
	                {.open = [cache = source_cache_](
	                             const SourceInfo &info) { return cache->open(info); },
	                 .on_step = [this](const auto &name, const auto &step) { on_step(name, step); },
	                 .on_lost = [this](const auto &) { look(); },
	                 .on_feed = [this] { tell_manager(); },
	                 .on_error = [this](const auto &error) { on_error(error); }}),
	      egd_(io_, std::move(egd), pipeline_,
	           [](const auto &why) { log(Priority::error, Event::egd_died, why); })
	{
		pipeline_.configure(config_);
	}

	Result<void> run()
	{
		if (auto listening = listen(); !listening)
			return listening;
		follow_devices();
		follow_clock();
		follow_clones();
		for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
			signals_.add(number);
		wait_for_signal();
		if (auto following = follow_helper(); !following)
			return following;
		const auto remembered = hwrng_choice::remembered(root_);
		if (!remembered)
			return std::unexpected(remembered.error());
		chosen_ = *remembered;
		control_.run([root = root_] {
			if (const auto done = hwrng_choice::recover(root, lock_limit); !done)
				log(Priority::warning, Event::hwrng_refused, done.error().message);
		});
		look();
		load_modules();
		look();
		ready_limit_.expires_after(ready_limit);
		ready_limit_.async_wait([this](const asio::error_code &error) {
			if (!error)
				manager_.ready();
		});
		io_.run();
		if (!helped_)
			return fail(ExitCode::io_error, "the helper, which opens devices, has been killed; "
			                                "start hwrngd anew");
		manager_.stopping();
		return end();
	}

private:
	void load_modules()
	{
		control_.run([root = root_, helper = helper_, names = config_.modules] {
			load_modules(root, *helper, names);
		});
	}

	Result<void> follow_helper()
	{
		FileDescriptor end(fcntl(helper_->end(), F_DUPFD_CLOEXEC, 0));
		if (!end)
			return fail_errno(errno, "fcntl");
		helper_end_.assign(end.release());
		helper_end_.async_wait(asio::posix::stream_descriptor::wait_read,
		                       [this](const asio::error_code &error) {
			                       if (error)
				                       return;
			                       helped_ = false;
			                       interrupt_reads(SIGTERM);
			                       io_.stop();
		                       });
		return {};
	}

	/// In the control thread.
	static void load_modules(const Root &root, const Helper &helper,
	                         const std::vector<std::string> &names)
	{
		for (const auto &name : names) {
			if (root.exists("/sys/module/" + name))
				continue;
			const auto done = helper.load(name);
			const Fields fields = {{"HWRNGD_MODULE", name}};
			if (!done)
				log(done.error().code == ExitCode::no_source ? Priority::info : Priority::notice,
				    Event::module_not_loaded, done.error().message, fields);
			else if (root.exists("/sys/module/" + name))
				log(Priority::info, Event::module_loaded, fmt::format("loaded the module {}", name),
				    fields);
			else
				log(Priority::info, Event::module_not_loaded,
				    fmt::format("module {} is not needed here: the kernel serves what it is for",
				                name),
				    fields);
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
			log(Priority::warning, Event::restricted, monitor.error().message);
	}

	void follow_clock()
	{
		auto monitor = ClockMonitor::open(
		    io_, [this] { feed_now("the machine resumed, or its clock was set"); });
		if (monitor)
			clock_ = std::move(*monitor);
		else
			log(Priority::warning, Event::restricted, monitor.error().message);
	}

	void follow_clones()
	{
		auto kernel_log = CloneMonitor::open_log(root_);
		if (kernel_log)
			clones_.emplace(io_, std::move(*kernel_log),
			                [this] { feed_now("this machine is a clone of another now"); });
		else
			log(Priority::info, Event::restricted,
			    fmt::format("{}; a clone of this machine will not be noticed",
			                kernel_log.error().message));
	}

	/// What the CRNG gives now, somebody else may have seen, or known what it was seeded with.
	void feed_now(const char *why)
	{
		log(Priority::notice, Event::fed_at_once, fmt::format("{}: feeding at once", why));
		pipeline_.feed();
		look();
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
		                       pipeline_, egd_.report())
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
			// A probe must not be taken for the choice. Without a framework there is no lock.
			const auto lock = HwrngSysfs(root).lock(lock_limit);
			mailbox->post(
			    [this, inventory = take_inventory(root, config), feeders = find_feeders(root, "")] {
				    saw(inventory);
				    tell_of(feeders);
			    });
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
		const bool new_tpm = !first && inventory.tpms.size() > inventory_.tpms.size();
		inventory_ = inventory;
		if (changed)
			refused_.clear();
		if (new_tpm)
			load_modules();
		redecide();
		if (first)
			tick();
		if (look_again_)
			look();
	}

	void tell_manager()
	{
		std::string from;
		for (const auto &[name, source] : pipeline_.sources())
			if (source.counts.last_fed && source.life.usable())
				from += (from.empty() ? "" : ", ") + name;
		if (read_nobody())
			manager_.status(
			    "There is no source to feed from; `hwrngctl policy --explain` says why");
		else if (from.empty())
			manager_.status("No source is healthy; `hwrngctl status` says why");
		else
			manager_.status("Feeding the kernel's pool from " + from);
		if (read_nobody() || pipeline_.feeds() > 0)
			manager_.ready();
	}

	/// Of programs that do the same work.
	void tell_of(const std::vector<Feeder> &feeders)
	{
		std::set<std::string> others;
		for (const auto &feeder : feeders) {
			if (feeder.name == "hwrng" || feeder.name == "hwrngd")
				continue; // the kernel's own, and us
			others.insert(feeder.name);
			if (!others_.contains(feeder.name))
				log(Priority::notice, Event::other_feeder,
				    fmt::format("{} (pid {}: {}) feeds the kernel's pool too; both may, and one is "
				                "enough",
				                feeder.name, feeder.pid, feeder.what),
				    {{"HWRNGD_FEEDER", feeder.name}});
		}
		others_ = std::move(others);
	}

	static std::vector<std::string> available(const Inventory &inventory)
	{
		return inventory.hwrng ? inventory.hwrng->available : std::vector<std::string>{};
	}

	void redecide()
	{
		decision_ = decide(inventory_, config_, pipeline_.states(), chosen_);
		std::set<std::string> read;
		for (const auto &decided : decision_.sources)
			if (decided.use == Use::read)
				read.insert(decided.source.name);
		source_cache_->keep_only(std::move(read));
		pipeline_.apply(decision_);
		tell_manager();
		if (decision_.select && *decision_.select != refused_)
			select(*decision_.select, decision_.reason);
	}

	[[nodiscard]] bool read_nobody() const
	{
		const auto &sources = decision_.sources;
		return std::none_of(sources.begin(), sources.end(),
		                    [](const auto &decided) { return decided.use == Use::read; });
	}

	void select(const std::string &name, const std::string &reason)
	{
		refused_ = name; // until it is done, or for good
		control_.run([this, root = root_, mailbox = mailbox_, name, reason,
		              seen = inventory_.hwrng.value_or(HwrngState())] {
			const auto done = hwrng_choice::make(root, name, seen, lock_limit);
			mailbox->post([this, name, reason, done] {
				if (!done) {
					log(Priority::warning, Event::hwrng_refused, done.error().message,
					    {{"HWRNGD_SOURCE", name}});
					return;
				}
				refused_.clear();
				if (*done) {
					chosen_ = name;
					log(Priority::notice, Event::hwrng_chosen,
					    fmt::format("the kernel's hwrng is now {}: {}", name, reason),
					    {{"HWRNGD_SOURCE", name}});
				}
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
		manager_.alive_for(interval);
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
		log(bad ? Priority::warning : Priority::info, Event::source_changed,
		    fmt::format("{}: {}, was {}: {}", name, hwrngd::name(step.to), hwrngd::name(step.from),
		                step.reason),
		    {{"HWRNGD_SOURCE", name},
		     {"HWRNGD_FROM", hwrngd::name(step.from)},
		     {"HWRNGD_TO", hwrngd::name(step.to)}});
		if (bad || step.from == SourceState::quarantined)
			asio::post(io_, [this] { redecide(); });
	}

	void on_error(const Error &error)
	{
		if (error.message != last_error_)
			log(Priority::error, Event::pool_refused, error.message);
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
			else if (number == SIGUSR1)
				pipeline_.feed();
			wait_for_signal();
		});
	}

	void reload()
	{
		auto config = read_config(root_);
		if (!config) {
			config_error_ = config.error().message;
			log(Priority::error, Event::config_refused,
			    fmt::format("{}; the old configuration stays", *config_error_));
			return;
		}
		config_error_.reset();
		config_ = std::move(*config);
		refused_.clear();
		source_cache_->close_all();
		pipeline_.configure(config_);
		log(Priority::info, Event::config_read, "the configuration was read again");
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
		return hwrng_choice::hand_back(root_, framework_limit);
	}

	Root root_;
	Config config_;
	KernelPool pool_;
	std::shared_ptr<const Helper> helper_;
	asio::io_context io_{1};
	std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(io_); ///< of the control thread
	asio::signal_set signals_;
	asio::posix::stream_descriptor helper_end_;
	asio::steady_timer next_feed_;
	asio::steady_timer ready_limit_;
	ServiceManager manager_;
	Time started_ = std::chrono::steady_clock::now();
	Inventory inventory_;
	Decision decision_;
	std::optional<std::string> chosen_;
	bool helped_ = true;      ///< the helper lives
	bool looking_ = false;    ///< the control thread is at it
	bool look_again_ = false; ///< afterwards
	Time looked_;
	std::string refused_; ///< a hwrng that need not be selected again
	std::optional<std::string> config_error_;
	std::string last_error_;
	std::set<std::string> others_; ///< that feed too, and were told of
	/// No secret, and not to be waited for: std::random_device may ask a CRNG that is not ready.
	std::minstd_rand jitter_{static_cast<std::minstd_rand::result_type>(
	    std::chrono::steady_clock::now().time_since_epoch().count())};
	std::unique_ptr<StatusSocket> status_;
	std::unique_ptr<UdevMonitor> devices_;
	std::unique_ptr<ClockMonitor> clock_;
	std::optional<CloneMonitor> clones_;
	std::shared_ptr<SourceCache> source_cache_;
	Pipeline pipeline_;
	EgdSupply egd_;
	Worker control_; ///< for all that asks the framework, which may hang
};

} // namespace

Result<void> run_daemon(const Root &root, const Config &config, KernelPool pool,
                        std::shared_ptr<const Helper> helper, FileDescriptor egd)
{
	Daemon daemon(root, config, std::move(pool), std::move(helper), std::move(egd));
	return daemon.run();
}

} // namespace hwrngd
