// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration, in TOML (toml.io, 1.0): /etc/hwrngd.conf, then /etc/hwrngd.conf.d/*.conf in
// the order of their names. If several files set a key, the last one wins. hwrngd.conf(5) lists all
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

/// The highest quality. The unit is the kernel's: bits of entropy per 1024 bits.
inline constexpr unsigned full_quality = 1024;

/// A table [source."PATTERN"].
struct SourceConfig {
	/// `credit`: credited bits of entropy per 1024 bits, 0 to 1024. Default: half of the claim.
	std::optional<unsigned> credit = {};
	/// `assessed`: assessed bits of entropy per 1024 bits, 0 to 1024. An upper limit of the credit.
	std::optional<unsigned> assessed = {};
	// One of path, command, egd and ssh defines a new source; then its name is not a pattern.
	std::string path = {};                 ///< `path` of a FIFO, a character device or a file
	std::optional<unsigned> speed = {};    ///< `speed` of a serial line, in baud
	std::vector<std::string> command = {}; ///< `command` that prints the bytes, with its arguments
	std::string egd = {};                  ///< `egd`: a server, see parse_egd_address()
	std::string ssh = {};                  ///< `ssh`: an account, see parse_ssh_address()
	// Paths of PEM files for egd = "tls:...". tls_ca verifies the server. The other two are shown
	// to the server: both or neither.
	std::string tls_ca = {};
	std::string tls_certificate = {};
	std::string tls_key = {};
	// Paths of the private key and the known host keys for ssh(1). Empty: those in /etc/hwrngd/ssh.
	std::string identity = {};
	std::string known_hosts = {};
};

/// What to do with rng_current.
enum class Hold : uint8_t {
	hold,   ///< choose, and choose again if another program or a user changes the choice
	prefer, ///< choose, and stop if another program or a user changes the choice
	leave,  ///< never choose
};

/// The table [egd]: the EGD server, which gives bytes to clients.
struct EgdConfig {
	std::vector<std::string> listen; ///< addresses, see parse_listen_address()
	unsigned max_clients = 1000;
	unsigned max_clients_per_address = 64;
	unsigned bytes_per_second = 65536;                 ///< limit per client; 0: no limit
	unsigned total_bytes_per_second = 1'048'576;       ///< limit for all clients; 0: no limit
	std::chrono::milliseconds idle_seconds{3'600'000}; ///< 0: no limit
	// Paths of PEM files: all three or none. tls_certificate may hold the rest of its chain after
	// it. tls_client_ca holds the authorities that sign the clients' certificates.
	std::string tls_certificate;
	std::string tls_key;
	std::string tls_client_ca;
	/// Permits serving other machines without encryption, on a trusted network.
	bool plaintext = false;
};

struct Config {
	std::chrono::milliseconds reseed_interval{60'000};
	unsigned feed_bytes = 512; ///< from each source, for each feed
	/// Bits up to which the pool of a kernel before 5.18 is filled. Default: half of its size.
	std::optional<unsigned> fill_watermark;
	Hold rng_current = Hold::prefer;
	std::chrono::milliseconds probe_interval{600'000}; ///< for RNGs that are not current; 0: never
	std::vector<std::string> prefer;             ///< patterns of sources, the most preferred first
	std::vector<std::string> deny;               ///< patterns of sources that must not be used
	std::vector<std::string> modules{"tpm_rng"}; ///< kernel modules to load
	std::string status_socket = "/run/hwrngd/status"; ///< empty: no socket
	std::string user = "hwrngd";                      ///< the daemon runs as this user
	EgdConfig egd;
	std::map<std::string, SourceConfig> sources; ///< by pattern

	/// The credit and the assessed quality of source `name`. For each of the two, a table with the
	/// exact name wins over a pattern, and a longer pattern over a shorter one.
	[[nodiscard]] SourceConfig source(const std::string &name) const;
};

/// True if the shell pattern matches the name, see fnmatch(3).
[[nodiscard]] bool matches(const std::string &pattern, const std::string &name);

/// Returns what is wrong with serving clients on these addresses, or "". Addresses that other
/// machines can reach need TLS, or `plaintext = true`.
[[nodiscard]] std::string wrong_listeners(const EgdConfig &egd,
                                          const std::vector<ListenAddress> &addresses);

/// Reads all configuration files; it is not an error if there are none. Fails with ExitCode::usage
/// at the first file that is not TOML, or has an unknown key or an invalid value. The message names
/// file, line and key.
[[nodiscard]] Result<Config> read_config(const Root &root);

/// Writes the assessed quality of `source` (bits per 1024 bits) to its own file, completely or not
/// at all, and returns the path.
[[nodiscard]] Result<std::filesystem::path>
write_assessed(const Root &root, const std::string &source, unsigned assessed);

/// Writes a file of its own that makes the daemon hold the kernel's hwrng at `name`, and returns
/// the path. If a later file sets the same keys, writes nothing and fails with ExitCode::usage.
[[nodiscard]] Result<std::filesystem::path> write_selected(const Root &root,
                                                           const std::string &name);
/// Removes the file of write_selected(). Returns true if there was one.
[[nodiscard]] Result<bool> remove_selected(const Root &root);

} // namespace hwrngd
