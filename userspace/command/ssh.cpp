// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands with which machines share random bytes over SSH.
#include "command/command_line.h"

namespace hwrngd {

namespace {

constexpr uint64_t most_rate = 1'000'000'000;

void add_client(CLI::App &setup, Run &run)
{
	const auto options = std::make_shared<SshClientOptions>();
	auto &client = *setup.add_subcommand(
	    "client", "Prepare this machine to request random bytes from USER@HOST");
	client.add_option("HOST", options->host, "USER@HOST or USER@HOST:PORT; default port: 22")
	    ->required();
	client
	    .add_option("--source", options->source,
	                "The name of the source in the configuration; default: the name of the host")
	    ->type_name("NAME");
	client
	    .add_option("--identity", options->identity,
	                "The file with this client's key; default: /etc/hwrngd/ssh/identity")
	    ->type_name("FILE");
	client
	    .add_option("--known-hosts", options->known_host,
	                "The file with the keys of hosts; default: /etc/hwrngd/ssh/known_hosts")
	    ->type_name("FILE");
	client
	    .add_option("--user", options->user,
	                "The user that reads the key; default: `user` of hwrngd.conf(5)")
	    ->type_name("USER");
	auto *key = client
	                .add_option("--host-key", options->host_key,
	                            "The host's public key, or a file that contains it; "
	                            "default: the key that the host shows, after you have "
	                            "confirmed it")
	                ->type_name("KEY");
	client
	    .add_flag("--accept", options->accept,
	              "Accept the key that the host shows, although nobody has confirmed it")
	    ->excludes(key);
	client.add_flag("--replace", options->replace,
	                "Replace another key that is pinned for this host");
	client.add_flag("--dry-run", options->dry_run, "Print each step without doing it");
	on_call(client, run, options, ssh_setup_client_command);
	client.footer(examples("hwrngctl ssh-setup client hwrngd-ssh@host"));
}

void add_host(CLI::App &setup, Run &run)
{
	const auto options = std::make_shared<SshHostOptions>();
	auto &host = *setup.add_subcommand(
	    "host", "Allow the client NAME to get random bytes from this machine");
	host.add_option("NAME", options->client, "A name for the client: letters, digits, -, _ and .")
	    ->required();
	auto *remove = host.add_flag("--remove", options->remove, "Revoke the client's access");
	host.add_option("--key", options->key, "The client's public key, or a file that contains it")
	    ->type_name("KEY")
	    ->excludes(remove);
	host.add_option("--user", options->user, "The account; created if it is missing")
	    ->type_name("USER")
	    ->default_str("hwrngd-ssh");
	host.add_option(
	        "--home", options->home,
	        "Use this folder as the account's home; the account is neither created nor checked")
	    ->type_name("FOLDER");
	host.add_option("--rate", options->rate, "Bytes per second for this client (0: no limit)")
	    ->type_name("N")
	    ->check(in_range(uint64_t{0}, most_rate))
	    ->default_str("4096");
	host.add_flag("--dry-run", options->dry_run, "Print each step without doing it");
	on_call(host, run, options, ssh_setup_host_command);
	host.footer(examples("hwrngctl ssh-setup host guest --key 'ssh-ed25519 AAAA...'"));
}

} // namespace

void add_ssh_serve(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<SshServeOptions>();
	auto &serve = *app.add_subcommand(
	    "ssh-serve", "Return the number of random bytes in SSH_ORIGINAL_COMMAND (sshd runs this)");
	serve
	    .add_option("--client", options->client,
	                "The client to which the rate applies; default: client")
	    ->type_name("NAME");
	serve
	    .add_option("--from", options->from,
	                "unix:/PATH of an EGD server; default: /run/hwrngd-egd or /run/hwrngd/egd")
	    ->type_name("ADDRESS");
	serve.add_option("--rate", options->rate, "Bytes per second for this client (0: no limit)")
	    ->type_name("N")
	    ->check(in_range(uint64_t{0}, most_rate))
	    ->default_str("4096");
	on_call(serve, run, options, ssh_serve_command);
}

void add_ssh_setup(CLI::App &app, Run &run)
{
	auto &setup = *app.add_subcommand(
	    "ssh-setup",
	    "Set up a machine to get random bytes from another one over SSH, or to give them");
	setup.require_subcommand(1);
	add_client(setup, run);
	add_host(setup, run);
}

} // namespace hwrngd
