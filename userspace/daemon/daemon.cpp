// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/daemon.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "control/policy.h"
#include "daemon/control_thread.h"
#include "daemon/egd_supply.h"
#include "daemon/feed_timer.h"
#include "daemon/helper_watch.h"
#include "daemon/hwrng_chooser.h"
#include "daemon/inventory_watcher.h"
#include "daemon/machine_events.h"
#include "daemon/module_loader.h"
#include "daemon/service_manager.h"
#include "daemon/source_cache.h"
#include "daemon/status_socket.h"
#include "kernel/crng.h"
#include "pool/pipeline.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// The interval between feeds until the kernel's CRNG is ready.
constexpr std::chrono::milliseconds unready_interval = 1s;
// Units that wait for the first feed wait no longer than this, even if every source is slow or bad.
constexpr auto ready_limit = 5s;

std::vector<std::string> available_hwrngs(const Inventory &inventory)
{
	return inventory.hwrng ? inventory.hwrng->available : std::vector<std::string>{};
}

class Daemon {
public:
	Daemon(Root root, Config config, KernelPool pool, std::shared_ptr<const Helper> helper,
	       FileDescriptor egd)
	    : root_(std::move(root)), config_(std::move(config)), pool_(std::move(pool)),
	      helper_(io_, std::move(helper)), signals_(io_), feed_timer_(io_), ready_limit_(io_),
	      control_(io_), inventory_(root_, config_, control_, steady_clock_of(io_),
	                                [this](const auto &before) { on_inventory(before); }),
	      hwrng_(root_, control_, [this] { inventory_.refresh(); }),
	      modules_(
	          root_, control_, steady_clock_of(io_),
	          [helper = helper_.helper()](const auto &name) { return helper->load(name); },
	          [this] { inventory_.refresh(); }),
	      source_cache_(std::make_shared<SourceCache>(root_)),
	      pipeline_(io_, pool_,
	                {.open = [cache = source_cache_](
	                             const SourceInfo &info) { return cache->open(info); },
	                 .on_step = [this](const auto &name, const auto &step) { on_step(name, step); },
	                 .on_lost = [this](const auto &) { inventory_.refresh(); },
	                 .on_feed = [this] { on_feed(); },
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
		events_.start(
		    io_, root_, [this] { inventory_.refresh(); },
		    [this](const char *why) { feed_now(why); });
		for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
			signals_.add(number);
		wait_for_signal();
		if (auto watching = helper_.start([this] { stop(SIGTERM); }); !watching)
			return watching;
		if (auto started = hwrng_.start(); !started)
			return started;
		inventory_.refresh();
		ready_limit_.expires_after(ready_limit);
		ready_limit_.async_wait([this](const asio::error_code &error) {
			if (!error)
				manager_.ready();
		});
		io_.run();
		if (!helper_.alive())
			return fail(ExitCode::io_error, "the helper, which opens devices, has been killed; "
			                                "restart hwrngd");
		manager_.stopping();
		return end();
	}

private:
	void stop(int signal)
	{
		interrupt_reads(signal);
		io_.stop();
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

	/// For events after which another machine may have the same state of the CRNG, or an attacker
	/// may have seen it.
	void feed_now(const char *why)
	{
		log(Priority::notice, Event::fed_at_once, fmt::format("{}: feeding at once", why));
		pipeline_.feed();
		inventory_.refresh();
	}

	std::string status_text()
	{
		auto status = status_of(pipeline_, egd_.report());
		status.version = HWRNGD_VERSION;
		status.started = wall_clock(started_);
		status.crng_ready = crng_ready();
		status.reseed_interval = std::chrono::duration<double>(config_.reseed_interval).count();
		if (!framework().current.empty())
			status.rng_current = framework().current;
		status.rng_chosen = hwrng_.chosen();
		status.rng_reason = decision_.reason;
		status.config_error = config_error_;
		return to_json(status).dump(2, ' ', false,
		                            nlohmann::ordered_json::error_handler_t::replace) +
		       "\n";
	}

	/// The state of the hwrng framework; empty if the kernel does not have one.
	[[nodiscard]] HwrngState framework() const
	{
		return inventory_.inventory().hwrng.value_or(HwrngState());
	}

	void on_inventory(const Inventory &before)
	{
		const auto &now = inventory_.inventory();
		const bool first = before.kernel.empty();
		if (!first && available_hwrngs(now) != available_hwrngs(before))
			hwrng_.forget_refusal();
		decide_again();
		modules_.apply(now, config_);
		if (first)
			feed_regularly();
	}

	void tell_manager()
	{
		std::string from;
		for (const auto &[name, source] : pipeline_.sources())
			if (source.counts.last_fed && source.life.usable())
				from += (from.empty() ? "" : ", ") + name;
		if (no_source_to_read())
			manager_.status(
			    "There is no source to feed from; `hwrngctl policy --explain` says why");
		else if (from.empty())
			manager_.status("No source is healthy; `hwrngctl status` says why");
		else
			manager_.status("Feeding the kernel's pool from " + from);
		if (no_source_to_read() || pipeline_.feeds() > 0)
			manager_.ready();
	}

	void decide_again()
	{
		decision_ = decide(inventory_.inventory(), config_, pipeline_.states(), hwrng_.chosen());
		std::set<std::string> read;
		for (const auto &decided : decision_.sources)
			if (decided.use == Use::read)
				read.insert(decided.source.name);
		source_cache_->keep_only(std::move(read));
		pipeline_.apply(decision_);
		tell_manager();
		if (decision_.select)
			hwrng_.choose(*decision_.select, decision_.reason, framework());
	}

	[[nodiscard]] bool no_source_to_read() const
	{
		const auto &sources = decision_.sources;
		return std::none_of(sources.begin(), sources.end(),
		                    [](const auto &decided) { return decided.use == Use::read; });
	}

	void feed_regularly()
	{
		pipeline_.feed();
		auto interval = config_.reseed_interval;
		if (!pool_.ready())
			interval = std::min(interval, unready_interval);
		manager_.alive_for(interval);
		feed_timer_.start(interval, [this] {
			inventory_.check();
			feed_regularly();
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
			asio::post(io_, [this] { decide_again(); });
	}

	void on_feed()
	{
		last_error_.clear();
		tell_manager();
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
				stop(number);
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
			    fmt::format("{}; the old configuration stays in use", *config_error_));
			return;
		}
		config_error_.reset();
		config_ = std::move(*config);
		hwrng_.forget_refusal();
		source_cache_->close_all();
		pipeline_.configure(config_);
		log(Priority::info, Event::config_read, "the configuration was read again");
		decide_again();
		inventory_.refresh(); // generators may have been added
		feed_regularly();
	}

	/// Gives readers a moment to finish, waits until a probe has restored the framework, and
	/// returns the choice of the hwrng to the kernel if it was ours.
	Result<void> end()
	{
		constexpr auto readers_limit = 150ms;
		const auto until = std::chrono::steady_clock::now() + readers_limit;
		io_.restart();
		while (pipeline_.busy() && io_.run_one_until(until) > 0)
			;
		control_.close();
		return hwrng_.hand_back();
	}

	Root root_;
	Config config_;
	std::optional<std::string> config_error_; ///< why the last reload kept the old configuration
	KernelPool pool_;
	asio::io_context io_{1};
	HelperWatch helper_;
	asio::signal_set signals_;
	FeedTimer feed_timer_;
	asio::steady_timer ready_limit_;
	ServiceManager manager_; // must be constructed before the first thread
	ControlThread control_;
	MachineEvents events_;
	Time started_ = std::chrono::steady_clock::now();
	InventoryWatcher inventory_;
	HwrngChooser hwrng_;
	ModuleLoader modules_;
	Decision decision_;
	std::string last_error_; ///< of the pool since the last feed; it is logged once
	std::unique_ptr<StatusSocket> status_;
	std::shared_ptr<SourceCache> source_cache_;
	Pipeline pipeline_;
	EgdSupply egd_;
};

} // namespace

Result<void> run_daemon(const Root &root, const Config &config, KernelPool pool,
                        std::shared_ptr<const Helper> helper, FileDescriptor egd)
{
	Daemon daemon(root, config, std::move(pool), std::move(helper), std::move(egd));
	return daemon.run();
}

} // namespace hwrngd
