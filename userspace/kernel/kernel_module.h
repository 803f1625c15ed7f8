// SPDX-License-Identifier: GPL-2.0-or-later
// Kernel modules through libkmod: what is there, and loading and unloading it.
#pragma once

#include "base/root.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct kmod_ctx;

namespace hwrngd {

/// One module as it stands.
struct ModuleState {
	std::string name;
	bool loaded = false;
	bool builtin = false;
	std::optional<std::string> path;    ///< of the module file for the running kernel
	std::optional<std::string> signer;  ///< whose key signed that file
	std::vector<std::string> obstacles; ///< why it cannot be loaded now, empty if it can
	/// What may yet be in the way and cannot be known before: whether the kernel trusts a key.
	std::optional<std::string> caution;
};

/// Why this machine, this process or this place cannot load modules at all; empty when nothing is
/// known to be in the way.
[[nodiscard]] std::vector<std::string> module_obstacles(const Root &root);

/// The file by which a container's manager has marked this place as one; nothing outside of them.
[[nodiscard]] std::optional<std::string> container_mark(const Root &root);

/// What makes this kernel take only modules signed by a key it trusts, or nothing.
[[nodiscard]] std::optional<std::string> signature_rule(const Root &root);

class KernelModules {
public:
	/// `release`: as uname -r; the modules are looked up in /lib/modules/RELEASE.
	[[nodiscard]] static Result<KernelModules> open(Root root, const std::string &release);

	[[nodiscard]] ModuleState inspect(const std::string &name) const;

	/// Loads a module and what it depends on, as `modprobe NAME` would with modprobe.d(5). An
	/// error says what to do about it.
	[[nodiscard]] Result<void> load(const std::string &name) const;

	[[nodiscard]] Result<void> unload(const std::string &name) const;

private:
	KernelModules(Root root, std::string release, kmod_ctx *ctx);
	[[nodiscard]] std::unexpected<Error> load_failed(const std::string &name, int number) const;

	Root root_;
	std::string release_;
	std::shared_ptr<kmod_ctx> ctx_;
};

} // namespace hwrngd
