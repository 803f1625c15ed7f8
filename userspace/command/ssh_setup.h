// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by both ends of `ssh-setup`: public keys, and steps that are done or only printed.
#pragma once

#include "base/write_file.h"
#include "command/command.h"

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace hwrngd {

/// A public key, as ssh-keygen(1) writes it.
struct PublicKey {
	std::string type;
	std::string blob;
	std::string comment;

	[[nodiscard]] std::string text() const { return type + " " + blob; }
};

/// Parses a key from `text`, or from the file of that name. Fails with ExitCode::usage on anything
/// else, such as options before the key, or more than one line.
[[nodiscard]] Result<PublicKey> public_key(const std::string &text);

/// The fingerprint in the form of ssh-keygen(1): "256 SHA256:... comment (ED25519)".
[[nodiscard]] Result<std::string> fingerprint(const PublicKey &key);

/// Fails with ExitCode::usage unless is_name(name) and the name is short enough for a file.
[[nodiscard]] Result<void> check_name(const std::string &name);

/// Where hwrngd serves EGD clients of its own machine: the socket of hwrngd-egd.socket, and the one
/// that hwrngd.conf(5) suggests.
inline constexpr std::array egd_sockets{"/run/hwrngd-egd", "/run/hwrngd/egd"};

/// These words as a command line, quoted for a shell.
[[nodiscard]] std::string command_line(const std::vector<std::string> &words);

/// Runs a program of OpenSSH or of the package passwd, and returns what it printed.
[[nodiscard]] Result<std::string> run_tool(const std::vector<std::string> &words);

/// The steps of a setup, which are done, or only printed in a dry run.
class Steps {
public:
	Steps(const Context &context, bool dry_run) : json_(context.json), dry_run_(dry_run) {}

	[[nodiscard]] bool dry_run() const { return dry_run_; }

	/// Prints one line about a step or a state.
	void say(const std::string &line);

	/// Creates a folder if it is missing. Fails if other users can change it.
	[[nodiscard]] Result<void> folder(const std::filesystem::path &path, const Access &access);
	/// Runs a program that changes something, with run_tool().
	[[nodiscard]] Result<void> run(const std::vector<std::string> &words);
	/// Writes these lines to a file, completely or not at all. `removed` and `added` are the
	/// changes, which are printed.
	[[nodiscard]] Result<void> write(const std::filesystem::path &path,
	                                 const std::vector<std::string> &lines, const Access &access,
	                                 const std::vector<std::string> &removed,
	                                 const std::vector<std::string> &added);

	/// The JSON document, to which the command adds its results.
	[[nodiscard]] nlohmann::ordered_json document() const;

private:
	bool json_;
	bool dry_run_;
	std::vector<std::string> lines_;
};

/// The lines of a file; empty if the file does not exist.
[[nodiscard]] Result<std::vector<std::string>> lines_of(const std::filesystem::path &path);

} // namespace hwrngd
