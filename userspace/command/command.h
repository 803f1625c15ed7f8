// SPDX-License-Identifier: GPL-2.0-or-later
// The commands of hwrngctl. Each prints its own result and returns the exit code, or an error for
// main to report.
#pragma once

#include "base/error.h"
#include "base/root.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

struct Inventory;

/// What all commands share.
struct Context {
	Root root;
	bool json = false;
};

/// What the machine has, and what its configuration adds to that; an error in that is one here.
[[nodiscard]] Result<Inventory> inventory_of(const Context &context);

/// `list`: all sources of this machine.
[[nodiscard]] Result<ExitCode> list_command(const Context &context);

/// `status`: the machine, its pool, sources, modules and feeders.
[[nodiscard]] Result<ExitCode> status_command(const Context &context);

/// `doctor`: what is wrong here and what to do; with `all` also what is often taken for a fault.
/// ExitCode::check_failed when there is something to do.
[[nodiscard]] Result<ExitCode> doctor_command(const Context &context, bool all);

inline constexpr double least_top_delay = 0.1;
inline constexpr double most_top_delay = 3600;
struct TopOptions {
	double delay = 1;   ///< s between looks, least_top_delay to most_top_delay
	uint64_t count = 0; ///< of looks, then it ends; 0: no end
	bool batch = false; ///< print them one after the other, for a file or a pipe
};
/// `top`: what the sources do, as it happens. Errors: ExitCode::usage without a terminal, and
/// unavailable for one that is not known.
[[nodiscard]] Result<ExitCode> top_command(const Context &context, const TopOptions &options);

struct MetricsOptions {
	std::optional<std::string> textfile; ///< where to write them
	std::optional<std::string> listen;   ///< HOST:PORT to serve them at; neither: standard output
};
/// `metrics`: the daemon's figures in Prometheus' text format.
[[nodiscard]] Result<ExitCode> metrics_command(const Context &context,
                                               const MetricsOptions &options);

/// `policy`: what the daemon would do with each source, and with `explain` why.
[[nodiscard]] Result<ExitCode> policy_command(const Context &context, bool explain);

struct SelectOptions {
	std::string name; ///< of a hwrng, or "auto" or "none"
	bool force = false;
	bool persist = false;
};

/// `select NAME|auto|none`: `force` switches even where the kernel can hang, `persist` has the
/// daemon do it at every boot.
[[nodiscard]] Result<ExitCode> select_command(const Context &context, const SelectOptions &options);

/// `load` and `unload`; `which` is tpm, cpu or all.
[[nodiscard]] Result<ExitCode> load_command(const Context &context, const std::string &which);
[[nodiscard]] Result<ExitCode> unload_command(const Context &context, const std::string &which);

struct TestOptions {
	std::optional<std::string> file;   ///< "-" is standard input
	std::optional<std::string> source; ///< neither: the best source
	std::optional<uint64_t>
	    blocks; ///< of 2500 bytes; default: all of a file or pipe, 16 of a device
};
[[nodiscard]] Result<ExitCode> test_command(const Context &context, const TestOptions &options);

inline constexpr double least_bench_seconds = 0.1;
// Others who want to switch the hwrng wait for a minute at most.
inline constexpr double most_bench_seconds = 30;
struct BenchOptions {
	std::vector<std::string> sources; ///< none: all that may be read unasked
	double seconds = 3;               ///< for each, least_bench_seconds to most_bench_seconds
};
/// `bench`: how fast the sources are, and whether that is usual for their kinds. One that cannot be
/// read is a row of the result; ExitCode::io_error when one failed.
[[nodiscard]] Result<ExitCode> bench_command(const Context &context, const BenchOptions &options);

struct AssessOptions {
	std::optional<std::string> file; ///< "-" is standard input; or else:
	std::optional<std::string> source;
	unsigned bits = 0;                  ///< per sample; 0: as many as the greatest sample needs
	std::optional<uint64_t> samples;    ///< default: all of a file or pipe, 1,000,000 of a device
	bool iid = false;                   ///< the IID track as well
	std::optional<std::string> restart; ///< a file of 1000 times 1000 samples: the restart tests
	std::optional<std::string> html;    ///< where to write the report
	bool save = false;                  ///< bound the source's credit from now on
};
/// `assess`: how much entropy the samples of a file or source hold, by SP 800-90B.
[[nodiscard]] Result<ExitCode> assess_command(const Context &context, const AssessOptions &options);

struct FeedOptions {
	std::optional<std::string> source;
	uint64_t bytes = 2500;
	bool dry_run = false;
};
/// The most bytes that one `feed` takes; the pool holds 32.
inline constexpr uint64_t most_feed_bytes = uint64_t{1} << 20U;
[[nodiscard]] Result<ExitCode> feed_command(const Context &context, const FeedOptions &options);

/// `check scs`: what standard 0101 of the Sovereign Cloud Stack asks of a machine; `profile` is v1
/// or v1.1. ExitCode::check_failed when an item is an error.
[[nodiscard]] Result<ExitCode> check_scs_command(const Context &context,
                                                 const std::string &profile);

struct OpenStackOptions { ///< empty: as the cloud's configuration has it
	std::string cloud;
	std::string region;
	std::string interface;
	std::string ca_file;
	bool insecure = false;
	bool all = false;
	unsigned timeout = 30; ///< s for each request
};
/// `check openstack`: has another program take over, so it returns when that cannot be.
[[nodiscard]] Result<ExitCode> check_openstack_command(const Context &context,
                                                       const OpenStackOptions &options);

struct SshServeOptions {
	std::string client = "client"; ///< whose rate it is
	std::string from;              ///< "unix:/PATH" of an EGD server; empty: hwrngd's
	uint64_t rate = 4096;          ///< bytes a second; 0: no limit of our own
};
/// `ssh-serve`: the forced command for a client's key; its exit codes are told to that client.
[[nodiscard]] Result<ExitCode> ssh_serve_command(const Context &context,
                                                 const SshServeOptions &options);

struct SshClientOptions {
	std::string host;       ///< USER@HOST[:PORT]
	std::string source;     ///< name of its table; empty: that of the host
	std::string identity;   ///< empty: /etc/hwrngd/ssh/identity
	std::string known_host; ///< the file; empty: /etc/hwrngd/ssh/known_hosts
	std::string host_key;   ///< the key, or a file that holds it; empty: it is asked for
	std::string user;       ///< who is to read these; empty: the daemon's
	bool accept = false;    ///< the key that the host shows, unseen
	bool replace = false;   ///< another key that is there
	bool dry_run = false;
};
/// `ssh-setup client`: a key of this machine's own, the host's key, and what is left to do.
[[nodiscard]] Result<ExitCode> ssh_setup_client_command(const Context &context,
                                                        const SshClientOptions &options);

struct SshHostOptions {
	std::string client; ///< NAME
	std::string key;    ///< its public key, or a file that holds it
	std::string user = "hwrngd-ssh";
	std::optional<std::string> home; ///< no account is made or looked at, but this folder used
	uint64_t rate = SshServeOptions().rate;
	bool remove = false;
	bool dry_run = false;
};
/// `ssh-setup host`: an account that gives bytes and nothing else, and who may have them.
[[nodiscard]] Result<ExitCode> ssh_setup_host_command(const Context &context,
                                                      const SshHostOptions &options);

} // namespace hwrngd
