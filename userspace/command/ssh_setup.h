// SPDX-License-Identifier: GPL-2.0-or-later
// What both ends of `ssh-setup` share: public keys, and steps that are done or only said.
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

/// The key that `text` is, or that the file of this name holds. Fails with ExitCode::usage for
/// anything else: options before it, or more than one line.
[[nodiscard]] Result<PublicKey> public_key(const std::string &text);

/// Its fingerprint as ssh-keygen(1) says it: "256 SHA256:... comment (ED25519)".
[[nodiscard]] Result<std::string> fingerprint(const PublicKey &key);

/// Whether is_name(), and not longer than a file's may be. Fails with ExitCode::usage.
[[nodiscard]] Result<void> check_name(const std::string &name);

/// Where hwrngd serves EGD clients of its own machine: by hwrngd-egd.socket, or as hwrngd.conf(5)
/// suggests.
inline constexpr std::array egd_sockets{"/run/hwrngd-egd", "/run/hwrngd/egd"};

/// Such words as a shell would want them.
[[nodiscard]] std::string command_line(const std::vector<std::string> &words);

/// Runs a program of OpenSSH or of the accounts' to its end, and returns what it printed.
[[nodiscard]] Result<std::string> run_tool(const std::vector<std::string> &words);

/// What is done, step by step, or only said.
class Steps {
public:
	Steps(const Context &context, bool dry_run) : json_(context.json), dry_run_(dry_run) {}

	[[nodiscard]] bool dry_run() const { return dry_run_; }

	/// One line about what there is, or was done.
	void say(const std::string &line);

	/// A folder: made if it is missing. One that others could change is refused.
	[[nodiscard]] Result<void> folder(const std::filesystem::path &path, const Access &access);
	/// A program that changes something, by run_tool().
	[[nodiscard]] Result<void> run(const std::vector<std::string> &words);
	/// Gives a file these lines, whole or not at all; `added` and `removed` say what is new.
	[[nodiscard]] Result<void> write(const std::filesystem::path &path,
	                                 const std::vector<std::string> &lines, const Access &access,
	                                 const std::vector<std::string> &removed,
	                                 const std::vector<std::string> &added);

	/// The document for programs, to which the command adds what it found.
	[[nodiscard]] nlohmann::ordered_json document() const;

private:
	bool json_;
	bool dry_run_;
	std::vector<std::string> said_;
};

/// The lines of a file; none if it is not there.
[[nodiscard]] Result<std::vector<std::string>> lines_of(const std::filesystem::path &path);

} // namespace hwrngd
