// SPDX-License-Identifier: GPL-2.0-or-later
// What the administrator has decided: /etc/hwrngd.conf, then /etc/hwrngd.conf.d/*.conf in the order
// of their names, in TOML (toml.io, 1.0). Of one key, the last file decides. hwrngd.conf(5) has all
// keys.
#pragma once

#include "base/error.h"
#include "base/listener.h"
#include "base/root.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// A table [source."PATTERN"].
struct SourceConfig {
	/// `credit`: bits of entropy in 1024 that it is credited with, 0 to 1024; else half its claim.
	std::optional<unsigned> credit = {};
	/// `assessed`: bits of entropy in 1024 that it was assessed to have, 0 to 1024. It is never
	/// credited with more.
	std::optional<unsigned> assessed = {};
	// What makes a source of it; its name is then no pattern. At most one of path, command, egd,
	// ssh.
	std::string path = {};              ///< `path`: of a FIFO or a character device
	std::optional<unsigned> speed = {}; ///< `speed`: of a serial line, in baud
	std::vector<std::string> command =
	    {};               ///< `command`: its name and arguments, which prints the bytes
	std::string egd = {}; ///< `egd`: of a server, as parse_egd_address() takes it
	std::string ssh = {}; ///< `ssh`: of an account, as parse_ssh_address() takes it
	// Paths in PEM of what a server by TLS is known by, and is shown: the latter both, or none.
	std::string tls_ca = {};
	std::string tls_certificate = {};
	std::string tls_key = {};
	// Paths of what ssh(1) shows and knows; empty: those in /etc/hwrngd/ssh.
	std::string identity = {};
	std::string known_hosts = {};
};

/// What to do with rng_current.
enum class Hold : uint8_t {
	hold,   ///< choose, and choose again when somebody else chose
	prefer, ///< choose, and leave it alone when somebody else chose
	leave,  ///< never choose
};

/// The table [egd]: whom bytes are given to by the protocol of EGD.
struct EgdConfig {
	std::vector<std::string> listen; ///< where, as parse_listen_address() takes it
	unsigned max_clients = 1000;
	unsigned max_clients_per_address = 64;
	unsigned bytes_per_second = 65536;                 ///< of each client; 0: without limit
	unsigned total_bytes_per_second = 1'048'576;       ///< of all; 0: without limit
	std::chrono::milliseconds idle_seconds{3'600'000}; ///< 0: for ever
	// In PEM; all or none. The first may have the rest of its chain behind it; the last are the
	// authorities of clients' certificates.
	std::string tls_certificate;
	std::string tls_key;
	std::string tls_client_ca;
	/// Other machines may be served without encryption, since the network is trusted.
	bool plaintext = false;
};

struct Config {
	std::chrono::milliseconds reseed_interval{60'000};
	unsigned feed_bytes = 512; ///< of each source, each time
	/// Bits that the pool of a kernel before 5.18 is filled up to; else half of it.
	std::optional<unsigned> fill_watermark;
	Hold rng_current = Hold::prefer;
	std::chrono::milliseconds probe_interval{600'000}; ///< of RNGs that are not current; 0: never
	std::vector<std::string> prefer; ///< patterns of sources, the first is liked best
	std::vector<std::string> deny;   ///< patterns of sources that are not to be used
	std::vector<std::string> modules{"tpm_rng", "cpu_rng"}; ///< to load
	std::string status_socket = "/run/hwrngd/status";       ///< empty: none
	std::string user = "hwrngd";                            ///< that the daemon becomes
	EgdConfig egd;
	std::map<std::string, SourceConfig> sources; ///< by pattern

	/// What is said of source `name`. Of one key, its name decides over patterns that match it, and
	/// a longer pattern over a shorter one.
	[[nodiscard]] SourceConfig source(const std::string &name) const;
};

/// Does a pattern of the shell, as in fnmatch(3), match?
[[nodiscard]] bool matches(const std::string &pattern, const std::string &name);

/// What is wrong with serving clients at such addresses, or nothing: those of other machines take
/// TLS, or must be wanted without.
[[nodiscard]] std::string wrong_listeners(const EgdConfig &egd,
                                          const std::vector<ListenAddress> &addresses);

/// Reads all files there are; none is no error. Fails on the first that is no TOML, has a key that
/// nobody knows, or a value of the wrong type or out of range, with ExitCode::usage and a message
/// that names file, line and key.
[[nodiscard]] Result<Config> read_config(const Root &root);

/// Writes what `source` was assessed to have, bits in 1024, into a file of its own, whole or not at
/// all, and returns its path.
[[nodiscard]] Result<std::filesystem::path>
write_assessed(const Root &root, const std::string &source, unsigned assessed);

/// Writes that the kernel shall use hwrng `name`, whoever chose another, into a file of its own,
/// and returns its path. Fails with ExitCode::usage, and writes nothing, if a later file says
/// otherwise.
[[nodiscard]] Result<std::filesystem::path> write_selected(const Root &root,
                                                           const std::string &name);
/// Takes that back. Returns whether there was anything to take back.
[[nodiscard]] Result<bool> remove_selected(const Root &root);

} // namespace hwrngd
