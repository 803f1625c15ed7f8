// SPDX-License-Identifier: GPL-2.0-or-later
// The commands of hwrngctl. Each one prints its result and returns the exit code, or an error that
// main reports.
#pragma once

#include "base/error.h"
#include "base/root.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

struct Inventory;

/// The options that all commands share.
struct Context {
	Root root;
	bool json = false;
};

/// The sources of the machine, and those that the configuration adds. Fails if the configuration is
/// invalid.
[[nodiscard]] Result<Inventory> inventory_of(const Context &context);

/// `list`: prints all sources of this machine.
[[nodiscard]] Result<ExitCode> list_command(const Context &context);

/// `status`: prints the state of the machine, its pool, sources, modules and feeders.
[[nodiscard]] Result<ExitCode> status_command(const Context &context);

/// `doctor`: prints what is wrong and what to do; with `all` also things that are often mistaken
/// for faults. Returns ExitCode::check_failed if there is something to do.
[[nodiscard]] Result<ExitCode> doctor_command(const Context &context, bool all);

inline constexpr double least_top_delay = 0.1;
inline constexpr double most_top_delay = 3600;
struct TopOptions {
	double delay = 1;   ///< seconds between updates, least_top_delay to most_top_delay
	uint64_t count = 0; ///< exit after so many updates; 0: run until interrupted
	bool batch = false; ///< print one update after the other, for a file or a pipe
};
/// `top`: shows the sources while they work. Fails with ExitCode::usage without a terminal, and
/// with ExitCode::unavailable on an unknown type of terminal.
[[nodiscard]] Result<ExitCode> top_command(const Context &context, const TopOptions &options);

struct MetricsOptions {
	std::optional<std::string> textfile; ///< the file to write
	std::optional<std::string> listen;   ///< HOST:PORT to serve at; neither: standard output
};
/// `metrics`: prints the daemon's figures in the text format of Prometheus.
[[nodiscard]] Result<ExitCode> metrics_command(const Context &context,
                                               const MetricsOptions &options);

/// `policy`: prints what the daemon would do with each source; with `explain` also the reasons.
[[nodiscard]] Result<ExitCode> policy_command(const Context &context, bool explain);

struct SelectOptions {
	std::string name; ///< name of a hwrng, "auto" or "none"
	bool force = false;
	bool persist = false;
};

/// `select HWRNG|auto|none`: `force` switches even if the kernel can hang during the switch.
/// `persist` makes the daemon repeat the choice at every boot.
[[nodiscard]] Result<ExitCode> select_command(const Context &context, const SelectOptions &options);

struct ModuleOptions {
	std::string which = "all"; ///< tpm, cpu or all
	/// Also at every boot: writes a file for systemd, or removes it.
	bool persist = false;
	bool no_wait = false; ///< for the test of the new sources; only for `load`
};
/// `load` and `unload`.
[[nodiscard]] Result<ExitCode> load_command(const Context &context, const ModuleOptions &options);
[[nodiscard]] Result<ExitCode> unload_command(const Context &context, const ModuleOptions &options);

struct TestOptions {
	std::optional<std::string> file;   ///< "-" is standard input
	std::optional<std::string> source; ///< neither: the best source
	/// Blocks of 2500 bytes; default: all of a file or pipe, 16 of a device or source.
	std::optional<uint64_t> blocks;
};
/// `test`: runs the tests of FIPS 140-2. Returns ExitCode::check_failed if they find a fault.
[[nodiscard]] Result<ExitCode> test_command(const Context &context, const TestOptions &options);

inline constexpr double least_bench_seconds = 0.1;
// Other programs that want to switch the hwrng wait for at most a minute.
inline constexpr double most_bench_seconds = 30;
struct BenchOptions {
	std::vector<std::string> sources; ///< empty: all that may be read without being named
	double seconds = 3; ///< for each source, least_bench_seconds to most_bench_seconds
};
/// `bench`: measures how fast the sources are, and compares that with the usual rates. A source
/// that cannot be read is a row of the result. Returns ExitCode::io_error if a source failed.
[[nodiscard]] Result<ExitCode> bench_command(const Context &context, const BenchOptions &options);

struct AssessOptions {
	std::optional<std::string> file;    ///< "-" is standard input
	std::optional<std::string> source;  ///< or: the name of a source
	unsigned bits = 0;                  ///< per sample; 0: as many as the largest sample needs
	std::optional<uint64_t> samples;    ///< default: all of a file or pipe, 1,000,000 of a device
	bool iid = false;                   ///< also run the IID track
	std::optional<std::string> restart; ///< file of 1000 x 1000 samples for the restart tests
	std::optional<std::string> html;    ///< file for the report
	bool save = false;                  ///< limit the source's credit to the result
};
/// `assess`: estimates the min-entropy of a file or source by SP 800-90B.
[[nodiscard]] Result<ExitCode> assess_command(const Context &context, const AssessOptions &options);

struct FeedOptions {
	std::optional<std::string> source;
	uint64_t bytes = 2500;
	bool dry_run = false;
};
/// The most bytes that one `feed` feeds; the pool holds 32.
inline constexpr uint64_t most_feed_bytes = uint64_t{1} << 20U;
/// `feed`: tests sources and feeds the kernel's pool from the best one that is healthy.
[[nodiscard]] Result<ExitCode> feed_command(const Context &context, const FeedOptions &options);

/// `check scs`: checks this machine against standard 0101 of the Sovereign Cloud Stack; `profile`
/// is v1 or v1.1. Returns ExitCode::check_failed if an item is an error.
[[nodiscard]] Result<ExitCode> check_scs_command(const Context &context,
                                                 const std::string &profile);

/// Empty strings: use the cloud's configuration.
struct OpenStackOptions {
	std::string cloud;
	std::string region;
	std::string interface;
	std::string ca_file;
	bool insecure = false;
	bool all = false;
	unsigned timeout = 30; ///< seconds for each request
};
/// `check openstack`: replaces this process by hwrngd-openstack. Returns only on failure.
[[nodiscard]] Result<ExitCode> check_openstack_command(const Context &context,
                                                       const OpenStackOptions &options);

struct SshServeOptions {
	std::string client = "client"; ///< the client to which the rate applies
	std::string from;              ///< "unix:/PATH" of an EGD server; empty: hwrngd's
	uint64_t rate = 4096;          ///< bytes per second; 0: no limit
};
/// `ssh-serve`: the forced command for a client's key. The client sees its exit code.
[[nodiscard]] Result<ExitCode> ssh_serve_command(const Context &context,
                                                 const SshServeOptions &options);

struct SshClientOptions {
	std::string host;       ///< USER@HOST[:PORT]
	std::string source;     ///< name of its table; empty: the name of the host
	std::string identity;   ///< empty: /etc/hwrngd/ssh/identity
	std::string known_host; ///< the file; empty: /etc/hwrngd/ssh/known_hosts
	std::string host_key;   ///< the key, or a file that contains it; empty: ask the host
	std::string user;       ///< the user that reads the key; empty: the daemon's
	bool accept = false;    ///< accept the key that the host shows, without confirmation
	bool replace = false;   ///< replace another key that is pinned for the host
	bool dry_run = false;
};
/// `ssh-setup client`: creates this machine's key, pins the host's key, and prints what is left to
/// do.
[[nodiscard]] Result<ExitCode> ssh_setup_client_command(const Context &context,
                                                        const SshClientOptions &options);

struct SshHostOptions {
	std::string client; ///< the client's name
	std::string key;    ///< its public key, or a file that contains it
	std::string user = "hwrngd-ssh";
	std::optional<std::string> home; ///< use this folder; no account is created or checked
	uint64_t rate = SshServeOptions().rate;
	bool remove = false;
	bool dry_run = false;
};
/// `ssh-setup host`: creates an account that returns random bytes and does nothing else, and allows
/// or revokes a client's access.
[[nodiscard]] Result<ExitCode> ssh_setup_host_command(const Context &context,
                                                      const SshHostOptions &options);

} // namespace hwrngd
