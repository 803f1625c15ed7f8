// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_module.h"

#include "base/privileges.h"

#include <libkmod.h>

#include <algorithm>

namespace hwrngd {

namespace {

constexpr const char *secure_boot =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

using ModulePointer = std::unique_ptr<kmod_module, decltype(&kmod_module_unref)>;

/// The module of that name, or nullptr.
ModulePointer look_up(kmod_ctx *ctx, const std::string &name)
{
	kmod_list *list = nullptr;
	ModulePointer module(nullptr, kmod_module_unref);
	if (kmod_module_new_from_lookup(ctx, name.c_str(), &list) >= 0 && list != nullptr)
		module.reset(kmod_module_get_module(list));
	kmod_module_unref_list(list);
	return module;
}

/// The owner of the key that signed the module's file; std::nullopt if it is not signed.
std::optional<std::string> signer_of(const kmod_module *module)
{
	kmod_list *list = nullptr;
	std::optional<std::string> signer;
	if (kmod_module_get_info(module, &list) < 0)
		return signer;
	for (kmod_list *it = list; it != nullptr; it = kmod_list_next(list, it))
		if (std::string_view(kmod_module_info_get_key(it)) == "signer")
			signer = kmod_module_info_get_value(it);
	kmod_module_info_free_list(list);
	return signer;
}

bool secure_boot_is_on(const Root &root)
{
	// Four bytes of attributes, then the value (UEFI 2.10, 3.3).
	const auto variable = root.read(secure_boot);
	return variable && variable->size() >= 5 && (*variable)[4] == 1;
}

/// The steps that make the kernel trust the key that dkms signs with. The firmware stores the key.
std::string enrolment_steps(const Root &root)
{
	std::string steps =
	    "make the kernel trust the key of dkms: run `mokutil --import /var/lib/dkms/mok.pub` and "
	    "choose a password. Reboot, and press a key within ten seconds at the blue screen "
	    "(otherwise the request is dropped). There, choose Enroll MOK, Continue, Yes, give the "
	    "password, choose Reboot; then load the module";
	if (!root.exists("/sys/firmware/efi"))
		steps += " (this machine was not booted by UEFI and has no such screen: boot it without "
		         "module.sig_enforce)";
	return steps;
}

} // namespace

std::optional<std::string> container_mark(const Root &root)
{
	for (const char *mark : {"/run/systemd/container", "/.dockerenv", "/run/.containerenv"})
		if (root.exists(mark))
			return mark;
	const char *init = "/proc/1/environ";
	const auto environment = root.read_if_any(init).value_or("");
	if (environment.starts_with("container=") ||
	    environment.find(std::string("\0container=", 11)) != std::string::npos)
		return init;
	return std::nullopt;
}

std::optional<std::string> signature_rule(const Root &root)
{
	const auto lockdown = root.read_if_any("/sys/kernel/security/lockdown");
	const bool open = lockdown && lockdown->contains("[none]");
	// With Secure Boot a kernel locks itself down, unless shim tells it not to (mokutil
	// --disable-validation). The firmware's variable is 1 in both cases.
	if (!open && secure_boot_is_on(root))
		return "Secure Boot";
	if (lockdown && !open)
		return "lockdown (/sys/kernel/security/lockdown)";
	if (root.read_if_any("/sys/module/module/parameters/sig_enforce") == "Y")
		return "module.sig_enforce";
	return std::nullopt;
}

namespace {

/// Says that loading and unloading modules needs CAP_SYS_MODULE, and where or how to do it.
std::string missing_capability(const Root &root)
{
	return container_mark(root)
	           ? "this is a container without CAP_SYS_MODULE: load and unload modules on its host"
	           : "loading and unloading modules needs CAP_SYS_MODULE: run as root (sudo)";
}

} // namespace

std::vector<std::string> module_obstacles(const Root &root)
{
	if (!root.exists("/proc/modules"))
		return {"this kernel was built without support for modules (CONFIG_MODULES)"};
	std::vector<std::string> found;
	if (root.read_if_any("/proc/sys/kernel/modules_disabled") == "1")
		found.emplace_back("module loading is switched off until the next boot "
		                   "(kernel.modules_disabled = 1)");
	if (!has_capability(root, CAP_SYS_MODULE))
		found.emplace_back(missing_capability(root));
	return found;
}

KernelModules::KernelModules(Root root, std::string release, kmod_ctx *ctx)
    : root_(std::move(root)), release_(std::move(release)), ctx_(ctx, kmod_unref)
{
}

Result<KernelModules> KernelModules::open(Root root, const std::string &release)
{
	const auto folder = root.at("/lib/modules/" + release).string();
	kmod_ctx *ctx = kmod_new(folder.c_str(), nullptr);
	if (ctx == nullptr)
		return fail(ExitCode::io_error, "cannot initialise libkmod");
	// Failures are reported here, not by libkmod.
	kmod_set_log_fn(
	    ctx, [](void *, int, const char *, int, const char *, const char *, va_list) {}, nullptr);
	return KernelModules(std::move(root), release, ctx);
}

ModuleState KernelModules::inspect(const std::string &name) const
{
	ModuleState state;
	state.name = name;
	state.loaded = root_.exists("/sys/module/" + name);
	if (const auto module = look_up(ctx_.get(), name)) {
		if (const char *path = kmod_module_get_path(module.get()))
			state.path = path;
		else
			state.builtin = true;
		state.signer = signer_of(module.get());
	}
	if (state.loaded || state.builtin)
		return state;
	state.obstacles = module_obstacles(root_);
	if (!root_.exists("/proc/modules"))
		return state; // the other obstacles do not matter then
	if (!state.path)
		state.obstacles.push_back(
		    fmt::format("no file {}.ko below {}: install hwrngd-dkms (or run `make dkms-install`)",
		                name, root_.at("/lib/modules/" + release_).string()));
	else if (const auto rule = signature_rule(root_); rule && !state.signer)
		state.obstacles.push_back(fmt::format(
		    "the file is not signed, and {} requires a signature: build it with dkms 3 or later, "
		    "which signs it; {}",
		    *rule, enrolment_steps(root_)));
	else if (rule)
		state.caution = fmt::format(
		    "if the kernel trusts the key of \"{}\" ({} requires that). If it does not: "
		    "{}",
		    *state.signer, *rule, enrolment_steps(root_));
	return state;
}

std::unexpected<Error> KernelModules::load_failed(const std::string &name, int number) const
{
	const auto what = fmt::format("module {} was not loaded", name);
	auto failed = fail_errno(number, what);
	std::string &message = failed.error().message;
	switch (number) {
	case EPERM: {
		const auto obstacles = module_obstacles(root_);
		if (const auto rule = signature_rule(root_); obstacles.empty() && rule)
			message +=
			    fmt::format("; {} requires a signed module: {}", *rule, enrolment_steps(root_));
		else if (!obstacles.empty())
			message += "; " + obstacles.front();
		break;
	}
	case ENODEV:
		message += "; this machine lacks its hardware (`hwrngctl status` shows what it has)";
		break;
	case EKEYREJECTED:
	case ENOKEY:
		failed.error().code = ExitCode::not_permitted;
		message +=
		    fmt::format("; {} requires a key that the kernel trusts: {}",
		                signature_rule(root_).value_or("this kernel"), enrolment_steps(root_));
		break;
	case ENOEXEC:
		message += fmt::format("; it was built for another kernel than {}: rebuild it "
		                       "(`dkms autoinstall`)",
		                       release_);
		break;
	case EEXIST:
		message += "; the kernel already has a module or device of that name";
		break;
	default:
		break;
	}
	return failed;
}

Result<void> KernelModules::load(const std::string &name) const
{
	const auto state = inspect(name);
	if (state.loaded || state.builtin)
		return {};
	if (!root_.exists("/proc/modules"))
		return fail(ExitCode::unavailable,
		            fmt::format("module {} was not loaded: {}", name, state.obstacles.front()));
	if (!state.path)
		return fail(ExitCode::unavailable,
		            fmt::format("module {} was not loaded: {}", name, state.obstacles.back()));
	const auto module = look_up(ctx_.get(), name);
	// Like modprobe(8) with a name: a blacklist line forbids loading by alias, but not by name.
	const int result = kmod_module_probe_insert_module(
	    module.get(), KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY, nullptr, nullptr, nullptr, nullptr);
	if (result < 0)
		return load_failed(name, -result);
	return {};
}

Result<void> KernelModules::unload(const std::string &name) const
{
	const auto module = look_up(ctx_.get(), name);
	if (!module)
		return fail(ExitCode::no_source,
		            fmt::format("module {} was not found in /lib/modules/{}", name, release_));
	const int result = kmod_module_remove_module(module.get(), 0);
	if (result < 0) {
		auto failed = fail_errno(-result, fmt::format("module {} was not unloaded", name));
		if (result == -EPERM)
			failed.error().message += "; " + missing_capability(root_);
		if (result == -EAGAIN || result == -EBUSY)
			failed.error().message += "; it is in use (`lsmod` shows its users)";
		return failed;
	}
	return {};
}

} // namespace hwrngd
