// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngctl: looks at a machine's sources of randomness, tests them, chooses among them, feeds the
// kernel's pool from them. One table of commands.
#include "assess/assess.h"
#include "base/interrupt.h"
#include "command/command.h"
#include "command/output.h"
#include "control/inventory.h"

#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hwrngd {

Result<Inventory> inventory_of(const Context &context)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	return take_inventory(context.root, *config);
}

namespace {

/// More than any source gives in a lifetime.
constexpr uint64_t most_blocks = 1'000'000'000'000;
constexpr uint64_t most_looks = 1'000'000'000;
constexpr unsigned most_timeout = 3600;
constexpr uint64_t most_rate = 1'000'000'000;

/// To be asked before CLI::Range, for which NaN is in every range.
std::string no_number(const std::string &text)
{
	double number = 0;
	const bool is = CLI::detail::lexical_cast(text, number) && !std::isnan(number);
	return is ? "" : text + " is no number";
}

using Run = std::function<Result<ExitCode>()>;

/// The command line: fills what it points to, and `run` with the command that was asked for.
class CommandLine {
public:
	CommandLine()
	{
		app_.name("hwrngctl");
		app_.set_version_flag("-V,--version", "hwrngctl " HWRNGD_VERSION);
		app_.require_subcommand(1);
		app_.fallthrough();
		app_.add_option("-o,--output", output_, "Output for people (text) or programs (json)")
		    ->transform(CLI::IsMember({"text", "json"}))
		    ->default_str("text");
		app_.add_option("--root", root_,
		                "Look for /sys, /proc, /dev and /lib/modules below this folder")
		    ->type_name("FOLDER")
		    ->default_str("/");
		add_looking();
		add_changing();
		add_testing();
		add_checking();
		add_ssh();
		add_examples();
	}

	/// The exit code of a parse that ends the program, or nothing when a command is to be run.
	std::optional<ExitCode> parse(int argc, char **argv)
	{
		try {
			app_.parse(argc, argv);
		} catch (const CLI::ParseError &error) {
			// Help and version are "errors" of code 0; everything else is usage.
			if (error.get_exit_code() == 0) {
				app_.exit(error);
				return ExitCode::done;
			}
			return report({ExitCode::usage, explain(error)}, asked_for_json());
		}
		return std::nullopt;
	}

	[[nodiscard]] bool json() const { return output_ == "json"; }
	[[nodiscard]] Result<ExitCode> run() const { return run_(); }

private:
	/// What --output says, even where the rest of the line is wrong: no option is bound to its
	/// variable then.
	[[nodiscard]] bool asked_for_json() const
	{
		const auto &given = app_.get_option("--output")->results();
		return !given.empty() && given.back() == "json";
	}

	/// What is wrong, in which command, and where to look.
	[[nodiscard]] std::string explain(const CLI::ParseError &error) const
	{
		std::string command;
		for (auto parsed = app_.get_subcommands(); !parsed.empty();
		     parsed = parsed.front()->get_subcommands())
			command += (command.empty() ? "" : " ") + parsed.front()->get_name();
		if (!command.empty())
			return fmt::format("{0}: {1}; see `hwrngctl {0} --help`", command, error.what());
		if (dynamic_cast<const CLI::RequiredError *>(&error) == nullptr)
			return fmt::format("{}; see `hwrngctl --help`", error.what());
		std::string names;
		for (const auto *one : app_.get_subcommands([](const CLI::App *) { return true; }))
			names += (names.empty() ? "" : ", ") + one->get_name();
		const auto unknown = app_.remaining();
		return fmt::format("{}; there are: {}; see `hwrngctl --help`",
		                   unknown.empty() ? std::string("a command is missing")
		                                   : fmt::format("\"{}\" is no command", unknown.front()),
		                   names);
	}

	[[nodiscard]] Context context() const { return {Root(root_), json()}; }

	void add_looking()
	{
		app_.add_subcommand("status", "Show the kernel, its pool, sources, modules and feeders")
		    ->callback([this] { run_ = [this] { return status_command(context()); }; });
		app_.add_subcommand("list", "List every source of randomness of this machine")
		    ->callback([this] { run_ = [this] { return list_command(context()); }; });
		auto *top = app_.add_subcommand("top", "Watch what the sources do, as it happens");
		top->add_option("-d,--delay", top_.delay, "Seconds between looks")
		    ->check(no_number)
		    ->check(CLI::Range(least_top_delay, most_top_delay))
		    ->default_str("1");
		top->add_option("-n,--count", top_.count,
		                "End after so many looks; default: by q or Ctrl-C")
		    ->check(CLI::Range(uint64_t{1}, most_looks));
		top->add_flag("-b,--batch", top_.batch,
		              "Print one look after the other, for a file or a pipe");
		top->callback([this] { run_ = [this] { return top_command(context(), top_); }; });
		auto *doctor =
		    app_.add_subcommand("doctor", "Find out what is wrong here, and what to do about it");
		doctor->add_flag("-a,--all", all_, "Also what is often taken for a fault, and is none");
		doctor->callback([this] { run_ = [this] { return doctor_command(context(), all_); }; });
		auto *metrics = app_.add_subcommand("metrics", "Show what the daemon does, for Prometheus");
		auto *textfile =
		    metrics
		        ->add_option(
		            "--textfile", metrics_.textfile,
		            "Write them to this file (*.prom), for node_exporter's textfile collector")
		        ->type_name("FILE");
		metrics
		    ->add_option("--listen", metrics_.listen,
		                 "Serve them by HTTP at this HOST:PORT, below /metrics, until an interrupt")
		    ->type_name("HOST:PORT")
		    ->excludes(textfile);
		metrics->callback(
		    [this] { run_ = [this] { return metrics_command(context(), metrics_); }; });
		auto *policy = app_.add_subcommand("policy", "Show what the daemon does with each source");
		policy->add_flag("--explain", explain_, "And why");
		policy->callback([this] { run_ = [this] { return policy_command(context(), explain_); }; });
	}

	void add_changing()
	{
		auto *select = app_.add_subcommand("select", "Choose the hwrng that the kernel uses");
		select
		    ->add_option("NAME", select_.name,
		                 "A name from rng_available, `auto` (the kernel chooses) or `none`")
		    ->type_name("HWRNG")
		    ->required();
		select->add_flag("--force", select_.force,
		                 "Even where an old kernel can hang in the switch");
		select->add_flag("--persist", select_.persist,
		                 "At every boot, and whoever chooses another (the daemon sees to it); with "
		                 "`auto`: no longer");
		select->callback([this] { run_ = [this] { return select_command(context(), select_); }; });

		const auto add = [this](const char *verb, const char *what, auto command) {
			auto *sub = app_.add_subcommand(verb, what);
			sub->add_option("MODULE", which_, "tpm (tpm_rng), cpu (cpu_rng) or all")
			    ->check(CLI::IsMember({"tpm", "cpu", "all"}))
			    ->default_str("all");
			sub->callback(
			    [this, command] { run_ = [this, command] { return command(context(), which_); }; });
		};
		add("load", "Load the kernel modules that make TPM and CPU a hwrng", load_command);
		add("unload", "Unload them", unload_command);
	}

	void add_testing()
	{
		auto *test = app_.add_subcommand("test", "Test a source, file or pipe by FIPS 140-2");
		auto *file = test->add_option("FILE", test_.file, "A file or device; - is standard input");
		test->add_option("-s,--source", test_.source,
		                 "A source of `hwrngctl list`; default: the best")
		    ->type_name("SOURCE")
		    ->excludes(file);
		test->add_option("-b,--blocks", test_.blocks,
		                 "Blocks of 20,000 bits; default: all of a file or pipe, 16 of a device")
		    ->check(CLI::Range(uint64_t{1}, most_blocks));
		test->callback([this] { run_ = [this] { return test_command(context(), test_); }; });

		auto *bench = app_.add_subcommand("bench", "Measure how fast the sources are");
		bench
		    ->add_option("-s,--source", bench_.sources,
		                 "This source; may be given several times; default: all of them")
		    ->type_name("SOURCE")
		    ->allow_extra_args(false);
		bench->add_option("-t,--seconds", bench_.seconds, "Seconds for each source, 0.1 to 30")
		    ->check(no_number)
		    ->check(CLI::Range(least_bench_seconds, most_bench_seconds))
		    ->default_str("3");
		bench->callback([this] { run_ = [this] { return bench_command(context(), bench_); }; });

		auto *assess = app_.add_subcommand(
		    "assess", "Assess the entropy of a source, file or pipe by SP 800-90B");
		auto *samples =
		    assess->add_option("FILE", assess_.file, "One sample a byte; - is standard input");
		assess->add_option("-s,--source", assess_.source, "A source of `hwrngctl list`")
		    ->type_name("SOURCE")
		    ->excludes(samples);
		assess
		    ->add_option("-w,--bits", assess_.bits,
		                 "Bits per sample, in the lowest bits of a byte; default: as many as the "
		                 "greatest sample of a file needs, 8 of a source")
		    ->check(CLI::Range(0U, 8U));
		assess
		    ->add_option("-n,--samples", assess_.samples,
		                 "Samples to assess; default: all of a file or pipe, 1,000,000 of a "
		                 "device or source")
		    ->check(CLI::Range(uint64_t{1}, assess::most_samples));
		assess->add_flag("--iid", assess_.iid, "Also test whether the samples are IID (section 5)");
		assess
		    ->add_option("--restart", assess_.restart,
		                 "Also run the restart tests (3.1.4) on this file of 1000 samples of each "
		                 "of 1000 restarts")
		    ->type_name("FILE");
		assess->add_option("--html", assess_.html, "Write a report to this file")
		    ->type_name("FILE");
		assess->add_flag("--save", assess_.save,
		                 "Credit the source from now on with no more than it was assessed to have");
		assess->callback([this] { run_ = [this] { return assess_command(context(), assess_); }; });

		auto *feed = app_.add_subcommand("feed", "Test the best source and feed the kernel's pool");
		feed->add_flag("--once", once_, "Feed once and end (the daemon hwrngd feeds for ever)")
		    ->required();
		feed->add_option("-s,--source", feed_.source, "This source and no other")
		    ->type_name("SOURCE");
		feed->add_option("-n,--bytes", feed_.bytes, "Bytes to feed")
		    ->check(CLI::Range(uint64_t{1}, most_feed_bytes))
		    ->default_str("2500");
		feed->add_flag("--dry-run", feed_.dry_run, "Read and test, but feed nothing");
		feed->callback([this] { run_ = [this] { return feed_command(context(), feed_); }; });
	}

	void add_checking()
	{
		auto *check =
		    app_.add_subcommand("check", "Check this machine, or a cloud, against a standard");
		check->require_subcommand(1);
		auto *scs = check->add_subcommand("scs", "Sovereign Cloud Stack 0101, Entropy");
		scs->add_option("--profile", profile_, "Its version: v1, or v1.1 of June 2026")
		    ->check(CLI::IsMember({"v1", "v1.1"}))
		    ->default_str("v1.1");
		scs->callback([this] { run_ = [this] { return check_scs_command(context(), profile_); }; });

		auto *cloud = check->add_subcommand(
		    "openstack",
		    "A cloud's flavors and images: have its servers an RNG, and does 0101 say so?");
		cloud->add_flag("-a,--all", openstack_.all,
		                "Show those too of which there is nothing to say");
		cloud
		    ->add_option(
		        "--os-cloud", openstack_.cloud,
		        "A cloud of clouds.yaml; default: OS_CLOUD, the other OS_* variables, or the "
		        "only one there")
		    ->type_name("NAME");
		cloud
		    ->add_option("--os-region-name", openstack_.region,
		                 "Default: that of clouds.yaml, OS_REGION_NAME, or the catalog's first")
		    ->type_name("NAME");
		cloud
		    ->add_option("--os-interface", openstack_.interface, "Which endpoints; default: public")
		    ->check(CLI::IsMember({"public", "internal", "admin"}));
		cloud
		    ->add_option("--os-cacert", openstack_.ca_file,
		                 "Certificates of authorities (PEM); default: the system's")
		    ->type_name("FILE");
		cloud->add_flag("--insecure", openstack_.insecure, "Verify no certificate");
		cloud->add_option("--timeout", openstack_.timeout, "Seconds for each request")
		    ->check(CLI::Range(1U, most_timeout))
		    ->default_str("30");
		cloud->callback(
		    [this] { run_ = [this] { return check_openstack_command(context(), openstack_); }; });
	}

	void add_ssh()
	{
		auto *serve = app_.add_subcommand(
		    "ssh-serve", "Give as many random bytes as SSH_ORIGINAL_COMMAND says (sshd runs it)");
		serve->add_option("--client", serve_.client, "Whose rate it is")->type_name("NAME");
		serve
		    ->add_option("--from", serve_.from,
		                 "unix:/PATH of an EGD server; default: that of hwrngd")
		    ->type_name("ADDRESS");
		serve->add_option("--rate", serve_.rate, "Bytes a second for this client; 0: no limit")
		    ->check(CLI::Range(uint64_t{0}, most_rate))
		    ->default_str("4096");
		serve->callback([this] { run_ = [this] { return ssh_serve_command(context(), serve_); }; });

		auto *setup = app_.add_subcommand(
		    "ssh-setup", "Let this machine have random bytes of another by SSH, or give them");
		setup->require_subcommand(1);
		auto *client = setup->add_subcommand("client", "This machine asks USER@HOST for bytes");
		client->add_option("HOST", client_.host, "USER@HOST or USER@HOST:PORT")->required();
		client
		    ->add_option("--source", client_.source,
		                 "The source's name in the configuration; default: that of the host")
		    ->type_name("NAME");
		client
		    ->add_option("--identity", client_.identity,
		                 "This client's key; default: /etc/hwrngd/ssh/identity")
		    ->type_name("FILE");
		client
		    ->add_option("--known-hosts", client_.known_host,
		                 "The hosts' keys; default: /etc/hwrngd/ssh/known_hosts")
		    ->type_name("FILE");
		client
		    ->add_option("--user", client_.user,
		                 "Who reads these; default: the user of hwrngd.conf(5)")
		    ->type_name("USER");
		auto *key = client
		                ->add_option("--host-key", client_.host_key,
		                             "The host's public key, or a file with it; default: what "
		                             "the host shows, once you have confirmed it")
		                ->type_name("KEY");
		client->add_flag("--accept", client_.accept, "Take what the host shows, unconfirmed")
		    ->excludes(key);
		client->add_flag("--replace", client_.replace, "Even if another key of it is known");
		client->add_flag("--dry-run", client_.dry_run, "Only say what would be done");
		client->callback(
		    [this] { run_ = [this] { return ssh_setup_client_command(context(), client_); }; });

		auto *host = setup->add_subcommand("host", "This machine gives bytes to client NAME");
		host->add_option("NAME", host_.client, "A name for the client")->required();
		auto *remove = host->add_flag("--remove", host_.remove, "No longer");
		host->add_option("--key", host_.key, "The client's public key, or a file with it")
		    ->type_name("KEY")
		    ->excludes(remove);
		host->add_option("--user", host_.user, "The account, which is made if it is missing")
		    ->type_name("USER")
		    ->default_str("hwrngd-ssh");
		host->add_option("--home", host_.home,
		                 "Use this folder as the account's home, and leave accounts alone")
		    ->type_name("FOLDER");
		host->add_option("--rate", host_.rate, "Bytes a second for this client; 0: no limit")
		    ->check(CLI::Range(uint64_t{0}, most_rate))
		    ->default_str("4096");
		host->add_flag("--dry-run", host_.dry_run, "Only say what would be done");
		host->callback(
		    [this] { run_ = [this] { return ssh_setup_host_command(context(), host_); }; });
	}

	/// Last of all: a command takes over what its parent has when it is added.
	void add_examples()
	{
		app_.footer(
		    "Examples:\n"
		    "  hwrngctl status                     what this machine has, and who feeds its pool\n"
		    "  hwrngctl top                        watch it, as it happens\n"
		    "  hwrngctl doctor                     what is wrong here, and what to do\n"
		    "  hwrngctl load tpm                   make the TPM a source of the kernel\n"
		    "  hwrngctl select tpm_rng.0           let the kernel use it\n"
		    "  hwrngctl test --source tpm_rng.0    is it healthy?\n"
		    "  hwrngctl bench                      how fast is each source?\n"
		    "  hwrngctl assess --source rdseed     how much entropy does it hold?\n"
		    "  hwrngctl feed --once                test the best source and feed the pool\n"
		    "  hwrngctl check scs                  does it meet SCS 0101, Entropy?\n"
		    "  hwrngctl check openstack            do a cloud's flavors and images?\n"
		    "Exit codes: 0 done, 1 check failed, 2 usage, 3 no source, 4 not permitted,\n"
		    "5 input or output error, 69 a needed service is unavailable. See hwrngctl(8).");
		struct Example {
			const char *command;
			const char *lines;
		};
		static constexpr std::array examples{
		    Example{"status", "hwrngctl status --output=json | jq -r .daemon.feeds"},
		    Example{"list", "hwrngctl list --output=json | jq -r '.sources[].name'"},
		    Example{"top", "hwrngctl top --delay 5\n  "
		                   "hwrngctl top --batch --count 2 >FILE    for a report"},
		    Example{"doctor", "hwrngctl doctor --all\n  "
		                      "hwrngctl doctor --output=json | jq -r '.findings[].id'"},
		    Example{"metrics", "hwrngctl metrics --listen 127.0.0.1:9817"},
		    Example{"policy", "hwrngctl policy --explain"},
		    Example{"select", "hwrngctl select tpm_rng.0 --persist     at every boot, too\n  "
		                      "hwrngctl select auto"},
		    Example{"load", "hwrngctl load tpm"},
		    Example{"unload", "hwrngctl unload all"},
		    Example{"test", "hwrngctl test --source tpm_rng.0 --blocks 100\n  "
		                    "PROGRAM | head -c 2500004 | hwrngctl test -"},
		    Example{"bench", "hwrngctl bench\n  "
		                     "hwrngctl bench --source rdseed --seconds 10"},
		    Example{"assess", "hwrngctl assess --source rdseed --html report.html"},
		    Example{"feed", "hwrngctl feed --once --dry-run"},
		    Example{"check scs", "hwrngctl check scs --profile v1 >report.md"},
		    Example{"check openstack",
		            "hwrngctl check openstack --os-cloud mine\n  "
		            "hwrngctl check openstack --output=json | jq -r '.images[].remedy // empty'"},
		    Example{"ssh-setup client", "hwrngctl ssh-setup client hwrngd-ssh@host"},
		    Example{"ssh-setup host", "hwrngctl ssh-setup host guest --key 'ssh-ed25519 AAAA...'"},
		};
		for (const auto &[command, lines] : examples) {
			auto *app = &app_;
			std::string word;
			for (std::istringstream words(command); words >> word;)
				app = app->get_subcommand(word);
			app->footer(std::string("Examples:\n  ") + lines);
		}
	}

	CLI::App app_{"Choose, test and use this machine's hardware random number generators."};
	std::string output_ = "text";
	std::string root_ = "/";
	SelectOptions select_;
	std::string which_ = "all";
	TopOptions top_;
	bool all_ = false;
	bool explain_ = false;
	bool once_ = false;
	MetricsOptions metrics_;
	TestOptions test_;
	BenchOptions bench_;
	AssessOptions assess_;
	FeedOptions feed_;
	std::string profile_ = "v1.1";
	OpenStackOptions openstack_;
	SshServeOptions serve_;
	SshClientOptions client_;
	SshHostOptions host_;
	Run run_;
};

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	// A reader that goes away must not kill us before rng_current is put back.
	std::signal(SIGPIPE, SIG_IGN);
	CommandLine line;
	if (const auto code = line.parse(argc, argv))
		return static_cast<int>(flush_output(*code));
	const auto caught = catch_interrupts();
	const auto result = caught ? line.run() : std::unexpected(caught.error());
	const ExitCode code = flush_output(result ? *result : report(result.error(), line.json()));
	if (code == ExitCode::interrupted)
		die_of_interrupt();
	return static_cast<int>(code);
} catch (const std::exception &error) {
	// Memory or threads ran out. Unwinding has put back what was changed.
	std::fputs("hwrngctl: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
