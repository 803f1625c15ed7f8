// SPDX-License-Identifier: GPL-2.0-or-later
// `ssh-setup client`: creates this machine's key, pins the host's key, and prints what is left to
// do.
#include "command/output.h"
#include "command/ssh_setup.h"

#include "base/privileges.h"
#include "control/config.h"
#include "pull/ssh_peer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <utility>

namespace hwrngd {

namespace {

namespace fs = std::filesystem;

constexpr mode_t public_file = 0644;
constexpr mode_t private_file = 0600;
constexpr mode_t public_folder = 0755;

std::string host_name()
{
	std::array<char, 256> name{};
	if (::gethostname(name.data(), name.size() - 1) < 0)
		return "client";
	return name.data();
}

class ClientSetup {
public:
	ClientSetup(const Context &context, const SshClientOptions &options)
	    : context_(context), options_(options), steps_(context, options.dry_run)
	{
	}

	Result<ExitCode> run()
	{
		for (const auto &step : {&ClientSetup::check_options, &ClientSetup::make_folders,
		                         &ClientSetup::make_key, &ClientSetup::pin_host})
			if (auto done = (this->*step)(); !done)
				return std::unexpected(done.error());
		finish();
		return ExitCode::done;
	}

private:
	[[nodiscard]] fs::path below(const std::string &given, const char *usual) const
	{
		return given.empty() ? context_.root.at(usual) : fs::absolute(given);
	}

	/// Checks all options before anything is changed.
	Result<void> check_options()
	{
		const auto address = parse_ssh_address(options_.host);
		if (!address)
			return fail(address.error().code,
			            fmt::format("\"{}\" {}", options_.host, address.error().message));
		address_ = *address;
		source_ = options_.source.empty() ? address_.host : options_.source;
		std::ranges::replace(source_, ':', '-');
		if (auto checked = check_name(source_); !checked)
			return checked;
		identity_ = below(options_.identity, usual_identity);
		known_hosts_ = below(options_.known_host, usual_known_hosts);
		auto name = options_.user;
		if (name.empty()) {
			const auto config = read_config(context_.root);
			if (!config)
				return std::unexpected(config.error());
			name = config->user;
		}
		const auto user = find_user(name);
		if (!user)
			return std::unexpected(user.error());
		if (!*user)
			return fail(ExitCode::usage,
			            fmt::format("the daemon's user \"{}\" does not exist; name another one "
			                        "with --user",
			                        name));
		user_ = user->value_or(User());
		if (!options_.host_key.empty()) {
			const auto key = public_key(options_.host_key);
			if (!key)
				return std::unexpected(key.error());
			host_key_ = *key;
			const auto print = fingerprint(*key);
			if (!print)
				return std::unexpected(print.error());
			steps_.say("the host's key: " + *print);
		}
		return {};
	}

	Result<void> make_folders()
	{
		const Access access{.uid = geteuid(), .gid = getegid(), .mode = public_folder};
		if (options_.identity.empty() || options_.known_host.empty())
			for (const auto *const folder : {"/etc/hwrngd", "/etc/hwrngd/ssh"})
				if (auto made = steps_.folder(context_.root.at(folder), access); !made)
					return made;
		for (const auto &file : {identity_, known_hosts_})
			if (auto made = steps_.folder(file.parent_path(), access); !made)
				return made;
		return {};
	}

	/// Creates the key under another name first, so that an interrupt leaves no partial key.
	Result<void> make_key()
	{
		const auto pub = fs::path(identity_.string() + ".pub");
		if (std::error_code ignored; fs::exists(identity_, ignored)) {
			steps_.say(fmt::format("{} exists already, and is kept", identity_.string()));
			const auto printed = run_tool({"ssh-keygen", "-y", "-P", "", "-f", identity_.string()});
			if (!printed)
				return std::unexpected(printed.error());
			auto key = public_key(*printed);
			if (!key)
				return std::unexpected(key.error());
			own_key_ = std::move(*key);
			return {};
		}
		const auto comment = "hwrngd@" + host_name();
		const std::vector<std::string> words{"ssh-keygen", "-q", "-t",    "ed25519", "-N",
		                                     "",           "-C", comment, "-f"};
		auto nominal = words;
		nominal.push_back(identity_.string());
		steps_.say("+ " + command_line(nominal));
		steps_.say(fmt::format("+ chown {}:{} {}", user_.uid, user_.gid, identity_.string()));
		if (steps_.dry_run())
			return {};
		std::string scratch = (identity_.parent_path() / ".new-XXXXXX").string();
		if (::mkdtemp(scratch.data()) == nullptr)
			return fail_errno(errno, scratch);
		auto made = make_key_in(scratch, words, pub);
		std::error_code ignored; // an unfinished key is useless
		fs::remove_all(scratch, ignored);
		return made;
	}

	Result<void> make_key_in(const std::string &scratch, std::vector<std::string> words,
	                         const fs::path &pub)
	{
		const auto fresh = scratch + "/identity";
		const auto fresh_pub = fresh + ".pub";
		words.push_back(fresh);
		if (auto made = run_tool(words); !made)
			return std::unexpected(made.error());
		auto key = public_key(fresh_pub);
		if (!key)
			return std::unexpected(key.error());
		if (::chown(fresh.c_str(), user_.uid, user_.gid) < 0 ||
		    ::chmod(fresh.c_str(), private_file) < 0 ||
		    ::chmod(fresh_pub.c_str(), public_file) < 0 ||
		    ::rename(fresh_pub.c_str(), pub.c_str()) < 0 ||
		    ::rename(fresh.c_str(), identity_.c_str()) < 0)
			return fail_errno(errno, identity_.string());
		own_key_ = std::move(*key);
		return {};
	}

	/// Asks the host for its key, and accepts it if the user confirms it.
	Result<void> ask_host()
	{
		const auto printed = run_tool({"ssh-keyscan", "-T", "10", "-t", "ed25519", "-p",
		                               std::to_string(address_.port), "--", address_.host});
		if (!printed)
			return std::unexpected(printed.error());
		std::istringstream lines(*printed);
		std::string line;
		while (std::getline(lines, line) && (line.empty() || line.starts_with('#')))
			;
		const auto begin = line.find(' ');
		if (begin == std::string::npos)
			return fail(ExitCode::unavailable,
			            fmt::format("{} shows no ed25519 host key; is its sshd running?",
			                        known_host(address_)));
		const auto key = public_key(line.substr(begin + 1));
		if (!key)
			return std::unexpected(key.error());
		const auto print = fingerprint(*key);
		if (!print)
			return std::unexpected(print.error());
		steps_.say(fmt::format("{} shows this key, which may be an attacker's: {}",
		                       known_host(address_), *print));
		steps_.say("to see the right key, run this on the host itself: "
		           "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`");
		if (!options_.accept && !user_confirms())
			return fail(ExitCode::check_failed,
			            "the host's key was not confirmed: type yes at a terminal, or pass the "
			            "key with --host-key; --accept accepts it unconfirmed");
		host_key_ = *key;
		return {};
	}

	[[nodiscard]] bool user_confirms() const
	{
		if (context_.json || ::isatty(STDIN_FILENO) == 0)
			return false;
		fmt::print("Are the two keys the same? Type yes: ");
		std::fflush(stdout);
		std::string answer;
		std::getline(std::cin, answer);
		return answer == "yes";
	}

	Result<void> pin_host()
	{
		const auto name = known_host(address_);
		auto lines = lines_of(known_hosts_);
		if (!lines)
			return std::unexpected(lines.error());
		std::vector<std::string> pinned;
		for (const auto &line : *lines)
			if (line.starts_with(name + " "))
				pinned.push_back(line);
		if (host_key_.type.empty()) {
			if (!pinned.empty() && !options_.replace) {
				steps_.say(fmt::format("{} has a key of {} already, which is kept",
				                       known_hosts_.string(), name));
				return {};
			}
			if (steps_.dry_run()) {
				steps_.say(fmt::format("+ ssh-keyscan -t ed25519 -p {} {} >>{}, after you have "
				                       "confirmed the key",
				                       address_.port, address_.host, known_hosts_.string()));
				return {};
			}
			if (auto confirmed = ask_host(); !confirmed)
				return confirmed;
		}
		const auto wanted = name + " " + host_key_.text();
		if (pinned == std::vector{wanted}) {
			steps_.say(fmt::format("{} has this key of {} already", known_hosts_.string(), name));
			return {};
		}
		if (!pinned.empty() && !options_.replace)
			return fail(ExitCode::check_failed,
			            fmt::format("{} has another key of {}: if the host was reinstalled, "
			                        "replace the key with --replace",
			                        known_hosts_.string(), name));
		std::erase_if(*lines, [&](const auto &line) { return line.starts_with(name + " "); });
		lines->push_back(wanted);
		return steps_.write(known_hosts_, *lines,
		                    {.uid = geteuid(), .gid = getegid(), .mode = public_file}, pinned,
		                    {wanted});
	}

	/// Prints what is left to do on the host and in the configuration.
	void finish()
	{
		const auto key =
		    own_key_.type.empty() ? std::string() : own_key_.text() + " hwrngd@" + host_name();
		auto table = fmt::format("[source.\"{}\"]\nssh = \"{}\"\n", source_, options_.host);
		if (!options_.identity.empty())
			table += fmt::format("identity = \"{}\"\n", identity_.string());
		if (!options_.known_host.empty())
			table += fmt::format("known_hosts = \"{}\"\n", known_hosts_.string());
		if (context_.json) {
			auto document = steps_.document();
			document["public_key"] = key;
			document["configuration"] = table;
			print_json(document);
			return;
		}
		fmt::print("\nOn the host, as root:\n  hwrngctl ssh-setup host {} --key '{}'\n",
		           host_name(), key.empty() ? "THE PUBLIC KEY, AFTER IT IS CREATED" : key);
		fmt::print("\nThen here, in /etc/hwrngd.conf.d/{}.conf, and `systemctl reload hwrngd`:\n{}",
		           source_, table);
	}

	const Context &context_;
	const SshClientOptions &options_;
	Steps steps_;
	SshAddress address_;
	std::string source_;
	fs::path identity_;
	fs::path known_hosts_;
	User user_;
	PublicKey host_key_;
	PublicKey own_key_;
};

} // namespace

Result<ExitCode> ssh_setup_client_command(const Context &context, const SshClientOptions &options)
{
	return ClientSetup(context, options).run();
}

} // namespace hwrngd
