// SPDX-License-Identifier: GPL-2.0-or-later
// Inspects, loads and unloads kernel modules through libkmod.
#pragma once

#include "base/root.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct kmod_ctx;

namespace hwrngd {

/// The state of one module.
struct ModuleState {
	std::string name;
	bool loaded = false;
	bool builtin = false;
	std::optional<std::string> path;    ///< of the module file for the running kernel
	std::optional<std::string> signer;  ///< owner of the key that signed that file
	std::vector<std::string> obstacles; ///< why it cannot be loaded now; empty if it can
	/// What may still prevent loading, but only loading shows it: the kernel may not trust the key.
	std::optional<std::string> caution;
};

/// The known reasons why this kernel, this process or this container cannot load any module. Empty
/// if there are none.
[[nodiscard]] std::vector<std::string> module_obstacles(const Root &root);

/// The file with which a container manager marks this environment as a container; std::nullopt
/// outside containers.
[[nodiscard]] std::optional<std::string> container_mark(const Root &root);

/// The rule that makes this kernel accept only modules signed by a key that it trusts;
/// std::nullopt if there is none.
[[nodiscard]] std::optional<std::string> signature_rule(const Root &root);

class KernelModules {
public:
	/// `release` is the output of uname -r; modules are looked up in /lib/modules/RELEASE.
	[[nodiscard]] static Result<KernelModules> open(Root root, const std::string &release);

	[[nodiscard]] ModuleState inspect(const std::string &name) const;

	/// Loads a module and its dependencies, like `modprobe NAME` with modprobe.d(5). The error
	/// message says what to do.
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
