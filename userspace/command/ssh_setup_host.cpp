// SPDX-License-Identifier: GPL-2.0-or-later
// `ssh-setup host`: an account that gives random bytes by `ssh-serve` and can do nothing else, and
// the keys that may have them.
#include "base/json_object.h"
#include "command/output.h"
#include "command/ssh_setup.h"

#include <pwd.h>
#include <shadow.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace hwrngd {

namespace {

namespace fs = std::filesystem;

constexpr const char *usual_home = "/var/lib/hwrngd-ssh";
constexpr mode_t open_folder = 0755;
constexpr mode_t own_folder = 0700;
constexpr mode_t for_all = 0644;

class HostSetup {
public:
	HostSetup(const Context &context, const SshHostOptions &options)
	    : context_(context), options_(options), steps_(context, options.dry_run)
	{
	}

	Result<ExitCode> run()
	{
		if (auto looked = look(); !looked)
			return std::unexpected(looked.error());
		if (auto done = options_.remove ? remove() : add(); !done)
			return std::unexpected(done.error());
		if (!options_.remove)
			tell_keys();
		if (context_.json) {
			auto document = steps_.document();
			document["host_keys"] = host_keys_;
			print_json(document);
		}
		return ExitCode::done;
	}

private:
	Result<void> look()
	{
		for (const auto &name : {options_.client, options_.user})
			if (auto checked = check_name(name); !checked)
				return checked;
		if (!options_.remove) {
			if (options_.key.empty())
				return fail(ExitCode::usage,
				            "ssh-setup host: --key KEY is required, as `hwrngctl ssh-setup "
				            "client` prints it on the other machine");
			auto key = public_key(options_.key);
			if (!key)
				return std::unexpected(key.error());
			key_ = std::move(*key);
			const auto told = fingerprint(key_);
			if (!told)
				return std::unexpected(told.error());
			steps_.say("the client's key: " + *told);
		}
		std::error_code failed;
		program_ = fs::read_symlink("/proc/self/exe", failed).string();
		if (failed)
			return fail_errno(failed.value(), "/proc/self/exe");
		if (program_.find_first_of(" \"\\") != std::string::npos)
			return fail(ExitCode::usage, program_ + ": sshd(8) cannot have this name in a command");
		if (options_.home) {
			home_ = fs::absolute(*options_.home);
			account_ = {.uid = geteuid(), .gid = getegid(), .mode = own_folder};
			return {};
		}
		return look_at_account();
	}

	/// An account that sshd(8) would not let in, or whose shell runs no command, is worth nothing.
	Result<void> look_at_account()
	{
		home_ = usual_home;
		const struct passwd *account = ::getpwnam(options_.user.c_str());
		if (account == nullptr)
			return {};
		exists_ = true;
		home_ = account->pw_dir;
		account_ = {.uid = account->pw_uid, .gid = account->pw_gid, .mode = own_folder};
		const std::string shell = account->pw_shell;
		if (shell.ends_with("/nologin") || shell.ends_with("/false"))
			return fail(
			    ExitCode::usage,
			    fmt::format("the shell of {0} is {1}, which runs no command, not the forced "
			                "one either: `usermod --shell /bin/sh {0}`",
			                options_.user, shell));
		// Who may not see it is told by what follows.
		const struct spwd *secret = ::getspnam(options_.user.c_str());
		if (secret != nullptr && secret->sp_pwdp != nullptr && *secret->sp_pwdp == '!')
			return fail(ExitCode::usage,
			            fmt::format("the account {0} is locked, which sshd takes for all keys too: "
			                        "`usermod --password '*' {0}` forbids passwords alone",
			                        options_.user));
		return {};
	}

	[[nodiscard]] fs::path keys() const { return home_ / ".ssh/authorized_keys"; }
	/// What only the line of this client has.
	[[nodiscard]] std::string mark() const
	{
		return fmt::format(" ssh-serve --client {} ", options_.client);
	}

	Result<void> add()
	{
		if (auto made = make_account(); !made)
			return made;
		// They stay root's, so that nobody who comes in can change who may.
		const Access access{.uid = geteuid(), .gid = getegid(), .mode = open_folder};
		for (const auto &folder : {home_, home_ / ".ssh", home_ / ".local", home_ / ".local/state"})
			if (auto made = steps_.folder(folder, access); !made)
				return made;
		if (auto made = steps_.folder(home_ / ".local/state/hwrngd", account_); !made)
			return made;
		return add_line();
	}

	Result<void> make_account()
	{
		if (exists_ || options_.home)
			return {};
		auto made = steps_.run({"useradd", "--system", "--user-group", "--home-dir", home_.string(),
		                        "--no-create-home", "--shell", "/bin/sh", "--password", "*",
		                        "--comment", "random bytes for other machines", options_.user});
		if (!made || steps_.dry_run())
			return made;
		const struct passwd *account = ::getpwnam(options_.user.c_str());
		if (account == nullptr)
			return fail(ExitCode::io_error, "useradd has made no account " + options_.user);
		account_ = {.uid = account->pw_uid, .gid = account->pw_gid, .mode = own_folder};
		return {};
	}

	Result<void> add_line()
	{
		auto lines = lines_of(keys());
		if (!lines)
			return std::unexpected(lines.error());
		const auto line = fmt::format("restrict,command=\"{}{}--rate {}\" {} {}", program_, mark(),
		                              options_.rate, key_.text(), options_.client);
		std::vector<std::string> before;
		for (const auto &other : *lines) {
			const bool same_key =
			    other.contains(" " + key_.text()) || other.starts_with(key_.text());
			const bool same_client = other.contains(mark());
			if (same_client && !same_key)
				return fail(ExitCode::check_failed,
				            fmt::format("{} has another key in {}; if that is no longer its own, "
				                        "`hwrngctl ssh-setup host {} --remove` first",
				                        options_.client, keys().string(), options_.client));
			if (same_key && !same_client)
				return fail(ExitCode::check_failed,
				            fmt::format("this key is in {} already, for something else: {}; one "
				                        "key is for one client",
				                        keys().string(), other));
			if (same_key)
				before.push_back(other);
		}
		if (before == std::vector{line}) {
			steps_.say(fmt::format("{} has this line already", keys().string()));
			return {};
		}
		std::erase_if(*lines, [&](const auto &other) { return other.contains(mark()); });
		lines->push_back(line);
		return write(*lines, before, {line});
	}

	Result<void> remove()
	{
		auto lines = lines_of(keys());
		if (!lines)
			return std::unexpected(lines.error());
		std::vector<std::string> before;
		for (const auto &line : *lines)
			if (line.contains(mark()))
				before.push_back(line);
		if (before.empty()) {
			steps_.say(fmt::format("{} has no line of {}", keys().string(), options_.client));
			return {};
		}
		std::erase_if(*lines, [&](const auto &line) { return line.contains(mark()); });
		return write(*lines, before, {});
	}

	Result<void> write(const std::vector<std::string> &lines,
	                   const std::vector<std::string> &removed,
	                   const std::vector<std::string> &added)
	{
		return steps_.write(keys(), lines, {.uid = geteuid(), .gid = getegid(), .mode = for_all},
		                    removed, added);
	}

	/// What the client needs to know of this host.
	void tell_keys()
	{
		for (const auto &name : context_.root.list("/etc/ssh")) {
			if (!name.starts_with("ssh_host_") || !name.ends_with("_key.pub"))
				continue;
			const auto key = public_key(context_.root.at("/etc/ssh/" + name).string());
			const auto told =
			    key ? fingerprint(*key) : Result<std::string>(std::unexpected(key.error()));
			if (!told) {
				steps_.say(fmt::format("{}: {}", name, told.error().message));
				continue;
			}
			steps_.say(fmt::format("this host's key: {}", *told));
			host_keys_.push_back(json_object({{"key", key->text()}, {"fingerprint", *told}}));
			if (key->type == "ssh-ed25519" && !context_.json)
				fmt::print("  for the client: --host-key '{}'\n", key->text());
		}
		if (std::ranges::none_of(egd_sockets,
		                         [&](const char *path) { return context_.root.exists(path); }))
			steps_.say("hwrngd serves nobody here yet: hwrngd(8) says how, by `systemctl "
			           "enable hwrngd-egd.socket` or `listen`");
	}

	const Context &context_;
	const SshHostOptions &options_;
	Steps steps_;
	PublicKey key_;
	std::string program_;
	fs::path home_;
	Access account_;
	bool exists_ = false;
	nlohmann::ordered_json host_keys_ = nlohmann::ordered_json::array();
};

} // namespace

Result<ExitCode> ssh_setup_host_command(const Context &context, const SshHostOptions &options)
{
	return HostSetup(context, options).run();
}

} // namespace hwrngd
