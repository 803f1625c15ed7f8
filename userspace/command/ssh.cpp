// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands by which machines give each other random bytes over SSH.
#include "command/command_line.h"

namespace hwrngd {

namespace {

constexpr uint64_t most_rate = 1'000'000'000;

void add_client(CLI::App &setup, Run &run)
{
	const auto options = std::make_shared<SshClientOptions>();
	auto &client = *setup.add_subcommand("client", "This machine asks USER@HOST for bytes");
	client.add_option("HOST", options->host, "USER@HOST or USER@HOST:PORT")->required();
	client
	    .add_option("--source", options->source,
	                "The source's name in the configuration; default: that of the host")
	    ->type_name("NAME");
	client
	    .add_option("--identity", options->identity,
	                "This client's key; default: /etc/hwrngd/ssh/identity")
	    ->type_name("FILE");
	client
	    .add_option("--known-hosts", options->known_host,
	                "The hosts' keys; default: /etc/hwrngd/ssh/known_hosts")
	    ->type_name("FILE");
	client
	    .add_option("--user", options->user, "Who reads these; default: the user of hwrngd.conf(5)")
	    ->type_name("USER");
	auto *key = client
	                .add_option("--host-key", options->host_key,
	                            "The host's public key, or a file with it; default: what "
	                            "the host shows, once you have confirmed it")
	                ->type_name("KEY");
	client.add_flag("--accept", options->accept, "Take what the host shows, unconfirmed")
	    ->excludes(key);
	client.add_flag("--replace", options->replace, "Even if another key of it is known");
	client.add_flag("--dry-run", options->dry_run, "Only say what would be done");
	on_call(client, run, options, ssh_setup_client_command);
	client.footer(examples("hwrngctl ssh-setup client hwrngd-ssh@host"));
}

void add_host(CLI::App &setup, Run &run)
{
	const auto options = std::make_shared<SshHostOptions>();
	auto &host = *setup.add_subcommand("host", "This machine gives bytes to client NAME");
	host.add_option("NAME", options->client, "A name for the client")->required();
	auto *remove = host.add_flag("--remove", options->remove, "No longer");
	host.add_option("--key", options->key, "The client's public key, or a file with it")
	    ->type_name("KEY")
	    ->excludes(remove);
	host.add_option("--user", options->user, "The account, which is made if it is missing")
	    ->type_name("USER")
	    ->default_str("hwrngd-ssh");
	host.add_option("--home", options->home,
	                "Use this folder as the account's home, and leave accounts alone")
	    ->type_name("FOLDER");
	host.add_option("--rate", options->rate, "Bytes a second for this client; 0: no limit")
	    ->check(CLI::Range(uint64_t{0}, most_rate))
	    ->default_str("4096");
	host.add_flag("--dry-run", options->dry_run, "Only say what would be done");
	on_call(host, run, options, ssh_setup_host_command);
	host.footer(examples("hwrngctl ssh-setup host guest --key 'ssh-ed25519 AAAA...'"));
}

} // namespace

void add_ssh_serve(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<SshServeOptions>();
	auto &serve = *app.add_subcommand(
	    "ssh-serve", "Give as many random bytes as SSH_ORIGINAL_COMMAND says (sshd runs it)");
	serve.add_option("--client", options->client, "Whose rate it is")->type_name("NAME");
	serve
	    .add_option("--from", options->from, "unix:/PATH of an EGD server; default: that of hwrngd")
	    ->type_name("ADDRESS");
	serve.add_option("--rate", options->rate, "Bytes a second for this client; 0: no limit")
	    ->check(CLI::Range(uint64_t{0}, most_rate))
	    ->default_str("4096");
	on_call(serve, run, options, ssh_serve_command);
}

void add_ssh_setup(CLI::App &app, Run &run)
{
	auto &setup = *app.add_subcommand(
	    "ssh-setup", "Let this machine have random bytes of another by SSH, or give them");
	setup.require_subcommand(1);
	add_client(setup, run);
	add_host(setup, run);
}

} // namespace hwrngd
