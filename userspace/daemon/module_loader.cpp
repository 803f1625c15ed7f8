// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/module_loader.h"

#include "base/log.h"

#include <algorithm>
#include <utility>

namespace hwrngd {

ModuleLoader::ModuleLoader(Root root, ControlThread &control, Clock clock, Load load,
                           std::function<void()> on_load)
    : root_(std::move(root)), control_(control), clock_(std::move(clock)), load_(std::move(load)),
      on_load_(std::move(on_load))
{
}

void ModuleLoader::apply(const Inventory &inventory, const Config &config)
{
	// Another TPM may be one that the module serves.
	if (inventory.tpms.size() > tpms_)
		modules_.erase("tpm_rng");
	tpms_ = inventory.tpms.size();
	for (auto &[name, module] : modules_)
		module.wanted = false;
	for (const auto &[name, why_not] : decide_modules(inventory, config)) {
		auto &module = modules_[name];
		if (is_loaded(name)) {
			module.tried = true;
			continue;
		}
		module.wanted = why_not.empty();
		if (!module.wanted)
			log_once(name, {ExitCode::no_source,
			                fmt::format("module {} is not loaded: {}", name, why_not)});
		else if (!module.tried)
			try_to_load(name);
	}
}

bool ModuleLoader::is_loaded(const std::string &name) const
{
	return root_.exists("/sys/module/" + name);
}

void ModuleLoader::try_to_load(const std::string &name)
{
	modules_[name].tried = true;
	control_.run(
	    [name, load = load_, root = root_] {
		    const auto is_loaded = [&] { return root.exists("/sys/module/" + name); };
		    Tried tried{.before = is_loaded()}; // udev may have loaded it by now
		    if (!tried.before)
			    tried.done = load(name);
		    tried.after = is_loaded();
		    return tried;
	    },
	    [this, name](const Tried &tried) { finish(name, tried); });
}

void ModuleLoader::finish(const std::string &name, const Tried &tried)
{
	auto &module = modules_[name];
	if (tried.before)
		return;
	if (tried.done && tried.after) {
		module.logged.clear();
		log(Priority::info, Event::module_loaded, fmt::format("loaded the module {}", name),
		    {{"HWRNGD_MODULE", name}});
		on_load_();
		return;
	}
	if (tried.done) {
		log_once(name, {ExitCode::no_source,
		                fmt::format("module {} is not needed here: the kernel already serves its "
		                            "hardware",
		                            name)});
		return;
	}
	auto error = tried.done.error();
	const bool again = name == "tpm_rng" && error.code == ExitCode::no_source;
	if (again)
		error.message += "; hwrngd will try again";
	log_once(name, error);
	if (again)
		retry_later(name);
}

void ModuleLoader::retry_later(const std::string &name)
{
	auto &module = modules_[name];
	module.retry = clock_.call_at(clock_.now() + module.pause, [this, name] {
		modules_[name].tried = false; // for apply(), if it is not wanted now
		if (modules_[name].wanted && !is_loaded(name))
			try_to_load(name);
	});
	module.pause = std::min(2 * module.pause, longest_pause);
}

void ModuleLoader::log_once(const std::string &name, const Error &error)
{
	auto &module = modules_[name];
	if (module.logged == error.message)
		return;
	module.logged = error.message;
	log(error.code == ExitCode::no_source ? Priority::info : Priority::notice,
	    Event::module_not_loaded, error.message, {{"HWRNGD_MODULE", name}});
}

} // namespace hwrngd
