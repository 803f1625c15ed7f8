// SPDX-License-Identifier: GPL-2.0-or-later
// `ssh-setup host`: creates an account that can only run `ssh-serve`, and allows or revokes the
// keys of clients.
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
constexpr mode_t public_folder = 0755;
constexpr mode_t private_folder = 0700;
constexpr mode_t public_file = 0644;

class HostSetup {
public:
	HostSetup(const Context &context, const SshHostOptions &options)
	    : context_(context), options_(options), steps_(context, options.dry_run)
	{
	}

	Result<ExitCode> run()
	{
		if (auto checked = check_options(); !checked)
			return std::unexpected(checked.error());
		if (auto done = options_.remove ? remove() : add(); !done)
			return std::unexpected(done.error());
		if (!options_.remove)
			print_host_keys();
		if (context_.json) {
			auto document = steps_.document();
			document["host_keys"] = host_keys_;
			print_json(document);
		}
		return ExitCode::done;
	}

private:
	/// Checks all options before anything is changed.
	Result<void> check_options()
	{
		for (const auto &name : {options_.client, options_.user})
			if (auto checked = check_name(name); !checked)
				return checked;
		if (!options_.remove) {
			if (options_.key.empty())
				return fail(ExitCode::usage,
				            "ssh-setup host: --key KEY is required; `hwrngctl ssh-setup client` "
				            "prints it on the client");
			auto key = public_key(options_.key);
			if (!key)
				return std::unexpected(key.error());
			key_ = std::move(*key);
			const auto print = fingerprint(key_);
			if (!print)
				return std::unexpected(print.error());
			steps_.say("the client's key: " + *print);
		}
		std::error_code failed;
		program_ = fs::read_symlink("/proc/self/exe", failed).string();
		if (failed)
			return fail_errno(failed.value(), "/proc/self/exe");
		if (program_.find_first_of(" \"\\") != std::string::npos)
			return fail(ExitCode::usage,
			            program_ + ": a forced command of sshd(8) cannot contain this path");
		if (options_.home) {
			home_ = fs::absolute(*options_.home);
			account_ = {.uid = geteuid(), .gid = getegid(), .mode = private_folder};
			return {};
		}
		return check_account();
	}

	/// Fails if sshd(8) would refuse the account, or if its shell cannot run commands.
	Result<void> check_account()
	{
		home_ = usual_home;
		const struct passwd *account = ::getpwnam(options_.user.c_str());
		if (account == nullptr)
			return {};
		exists_ = true;
		home_ = account->pw_dir;
		account_ = {.uid = account->pw_uid, .gid = account->pw_gid, .mode = private_folder};
		const std::string shell = account->pw_shell;
		if (shell.ends_with("/nologin") || shell.ends_with("/false"))
			return fail(
			    ExitCode::usage,
			    fmt::format("the shell of {0} is {1}, which cannot run the forced command; run "
			                "`usermod --shell /bin/sh {0}`",
			                options_.user, shell));
		// Without the right to read it, a later step fails and says so.
		const struct spwd *secret = ::getspnam(options_.user.c_str());
		if (secret != nullptr && secret->sp_pwdp != nullptr && *secret->sp_pwdp == '!')
			return fail(ExitCode::usage,
			            fmt::format("the account {0} is locked, so sshd refuses its keys too; to "
			                        "forbid only passwords, run `usermod --password '*' {0}`",
			                        options_.user));
		return {};
	}

	[[nodiscard]] fs::path keys() const { return home_ / ".ssh/authorized_keys"; }
	/// The text that identifies the line of this client.
	[[nodiscard]] std::string mark() const
	{
		return fmt::format(" ssh-serve --client {} ", options_.client);
	}

	Result<void> add()
	{
		if (auto made = make_account(); !made)
			return made;
		// These belong to root, so that a client that logs in cannot change who may log in.
		const Access access{.uid = geteuid(), .gid = getegid(), .mode = public_folder};
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
			return fail(ExitCode::io_error, "useradd did not create the account " + options_.user);
		account_ = {.uid = account->pw_uid, .gid = account->pw_gid, .mode = private_folder};
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
				            fmt::format("{} has another key in {}; to replace it, first run "
				                        "`hwrngctl ssh-setup host {} --remove`",
				                        options_.client, keys().string(), options_.client));
			if (same_key && !same_client)
				return fail(ExitCode::check_failed,
				            fmt::format("this key is already in {} for another purpose: {}; each "
				                        "client needs its own key",
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
			steps_.say(fmt::format("{} has no line for {}", keys().string(), options_.client));
			return {};
		}
		std::erase_if(*lines, [&](const auto &line) { return line.contains(mark()); });
		return write(*lines, before, {});
	}

	Result<void> write(const std::vector<std::string> &lines,
	                   const std::vector<std::string> &removed,
	                   const std::vector<std::string> &added)
	{
		return steps_.write(keys(), lines,
		                    {.uid = geteuid(), .gid = getegid(), .mode = public_file}, removed,
		                    added);
	}

	/// Prints the keys of this host, which the client needs.
	void print_host_keys()
	{
		for (const auto &name : context_.root.list("/etc/ssh")) {
			if (!name.starts_with("ssh_host_") || !name.ends_with("_key.pub"))
				continue;
			const auto key = public_key(context_.root.at("/etc/ssh/" + name).string());
			const auto print =
			    key ? fingerprint(*key) : Result<std::string>(std::unexpected(key.error()));
			if (!print) {
				steps_.say(fmt::format("{}: {}", name, print.error().message));
				continue;
			}
			steps_.say(fmt::format("this host's key: {}", *print));
			host_keys_.push_back(json_object({{"key", key->text()}, {"fingerprint", *print}}));
			if (key->type == "ssh-ed25519" && !context_.json)
				fmt::print("  for the client: --host-key '{}'\n", key->text());
		}
		if (std::ranges::none_of(egd_sockets,
		                         [&](const char *path) { return context_.root.exists(path); }))
			steps_.say("hwrngd's EGD server is not running here yet: start it with `systemctl "
			           "enable --now hwrngd-egd.socket`, or with `listen` in hwrngd.conf(5)");
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
