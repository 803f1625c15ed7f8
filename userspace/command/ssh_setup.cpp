// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/ssh_setup.h"

#include "base/address.h"
#include "base/json_object.h"
#include "base/program.h"
#include "base/shell_word.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace hwrngd {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view letters_and_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_key_type(std::string_view text)
{
	constexpr std::array<std::string_view, 4> kinds{"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-"};
	return std::ranges::any_of(kinds, [&](auto kind) { return text.starts_with(kind); });
}

bool consists_of(std::string_view text, std::string_view more)
{
	return std::ranges::all_of(
	    text, [&](char c) { return letters_and_digits.contains(c) || more.contains(c); });
}

/// Whether all characters are printable ASCII. Others could split a line, or hide what it says.
bool is_printable(std::string_view text)
{
	return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

} // namespace

std::string command_line(const std::vector<std::string> &words)
{
	std::string line;
	for (const auto &word : words)
		line += (line.empty() ? "" : " ") + for_shell(word);
	return line;
}

Result<PublicKey> public_key(const std::string &text)
{
	auto line = text;
	if (!is_key_type(line)) {
		const auto lines = lines_of(text);
		if (!lines)
			return std::unexpected(lines.error());
		if (lines->size() != 1)
			return fail(ExitCode::usage,
			            fmt::format("\"{}\" is neither a public key (ssh-ed25519 AAAA...) nor a "
			                        "file that contains one",
			                        text));
		line = lines->front();
	}
	PublicKey key;
	std::istringstream words(line);
	words >> key.type >> key.blob >> std::ws;
	std::getline(words, key.comment);
	if (!is_printable(line) || !is_key_type(key.type) || !consists_of(key.type, "-@.") ||
	    !key.blob.starts_with("AAAA") || !consists_of(key.blob, "+/="))
		return fail(ExitCode::usage,
		            fmt::format("\"{}\" is not a public key: it must be one line from ssh-keygen, "
		                        "such as ssh-ed25519 AAAA... NAME",
		                        line));
	return key;
}

Result<std::string> fingerprint(const PublicKey &key)
{
	std::string folder = (fs::temp_directory_path() / "hwrngd-key-XXXXXX").string();
	if (::mkdtemp(folder.data()) == nullptr)
		return fail_errno(errno, folder);
	const auto path = folder + "/key.pub";
	auto printed = [&]() -> Result<std::string> {
		if (auto wrote = write_file(path, key.text() + " " + key.comment + "\n"); !wrote)
			return std::unexpected(wrote.error());
		return run_tool({"ssh-keygen", "-l", "-f", path});
	}();
	std::error_code ignored; // a public key is not secret
	fs::remove_all(folder, ignored);
	if (!printed)
		return fail(ExitCode::usage, fmt::format("\"{}\" is not a public key: {}", key.text(),
		                                         printed.error().message));
	return printed;
}

Result<void> check_name(const std::string &name)
{
	constexpr size_t longest = 64;
	if (name.size() > longest || !is_name(name))
		return fail(
		    ExitCode::usage,
		    fmt::format("\"{}\" is not a valid name: use letters, digits, -, _ and ., at most {}",
		                name, longest));
	return {};
}

Result<std::string> run_tool(const std::vector<std::string> &words)
{
	constexpr size_t most = 65536;
	constexpr std::chrono::seconds limit{60};
	std::vector<uint8_t> out(most);
	const auto answer = ask_program(words.front(), words, out, limit);
	if (!answer) {
		auto error = answer.error();
		if (error.number == ENOENT)
			error = {ExitCode::unavailable,
			         fmt::format("{} is missing: install openssh-client (on the host also "
			                     "openssh-server and passwd)",
			                     words.front())};
		return std::unexpected(error);
	}
	std::string text(out.begin(), out.begin() + static_cast<ptrdiff_t>(answer->size));
	if (!WIFEXITED(answer->status) || WEXITSTATUS(answer->status) != 0) {
		auto message = answer->complaint.empty() ? text : answer->complaint;
		while (message.ends_with('\n') || message.ends_with('\r'))
			message.pop_back();
		return fail(ExitCode::io_error, fmt::format("`{}`: {}", command_line(words), message));
	}
	while (text.ends_with('\n'))
		text.pop_back();
	return text;
}

void Steps::say(const std::string &line)
{
	if (!json_)
		fmt::print("{}\n", line);
	lines_.push_back(line);
}

Result<void> Steps::folder(const fs::path &path, const Access &access)
{
	struct stat now = {};
	if (::lstat(path.c_str(), &now) == 0) {
		const bool ours = now.st_uid == access.uid || now.st_uid == geteuid();
		if (!S_ISDIR(now.st_mode) || !ours || (now.st_mode & (S_IWGRP | S_IWOTH)) != 0)
			return fail(ExitCode::not_permitted,
			            fmt::format("{}: must be a folder that belongs to user {} and that no "
			                        "other user can change; otherwise sshd(8) does not trust it",
			                        path.string(), access.uid));
		return {};
	}
	if (errno != ENOENT)
		return fail_errno(errno, path.string());
	say(fmt::format("+ install -d -m {:o} -o {} -g {} {}", access.mode, access.uid, access.gid,
	                for_shell(path.string())));
	if (dry_run_)
		return {};
	if (::mkdir(path.c_str(), access.mode) < 0 ||
	    ::chown(path.c_str(), access.uid, access.gid) < 0 || ::chmod(path.c_str(), access.mode) < 0)
		return fail_errno(errno, path.string());
	return {};
}

Result<void> Steps::run(const std::vector<std::string> &words)
{
	say("+ " + command_line(words));
	if (dry_run_)
		return {};
	if (auto done = run_tool(words); !done)
		return std::unexpected(done.error());
	return {};
}

Result<void> Steps::write(const fs::path &path, const std::vector<std::string> &lines,
                          const Access &access, const std::vector<std::string> &removed,
                          const std::vector<std::string> &added)
{
	for (const auto &line : removed)
		say(fmt::format("+ {}: remove the line {}", path.string(), line));
	for (const auto &line : added)
		say(fmt::format("+ {}: add the line {}", path.string(), line));
	if (dry_run_)
		return {};
	std::string text;
	for (const auto &line : lines)
		text += line + "\n";
	return write_file(path, text, access);
}

nlohmann::ordered_json Steps::document() const
{
	return json_object({{"dry_run", dry_run_}, {"steps", lines_}});
}

Result<std::vector<std::string>> lines_of(const fs::path &path)
{
	constexpr uintmax_t most = 1U << 20U;
	std::error_code failed;
	std::vector<std::string> lines;
	const auto status = fs::status(path, failed);
	if (status.type() == fs::file_type::not_found)
		return lines;
	if (failed || !fs::is_regular_file(status) || fs::file_size(path, failed) > most)
		return fail(ExitCode::io_error,
		            fmt::format("{}: is not a regular file of at most 1 MiB", path.string()));
	std::ifstream file(path);
	for (std::string line; std::getline(file, line);)
		lines.push_back(line);
	if (!file.eof())
		return fail(ExitCode::not_permitted, fmt::format("{}: cannot be read", path.string()));
	return lines;
}

} // namespace hwrngd
