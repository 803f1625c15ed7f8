// SPDX-License-Identifier: GPL-2.0-or-later
#include "pull/ssh_peer.h"

#include "base/program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr uint16_t usual_port = 22;
// Longer than the default interval between feeds, one minute.
constexpr auto persist = "ControlPersist=120";
constexpr auto end_limit = 2s;
// The exit status of ssh(1) for its own errors; any other is that of the server's command.
constexpr int ssh_failed = 255;

/// A private folder that is removed with this object.
class PrivateFolder {
public:
	static Result<PrivateFolder> make()
	{
		// Always in /tmp, because TMPDIR may be too long: the path of a socket has at most 107
		// bytes, and ssh(1) needs some of them.
		std::string path = "/tmp/hwrngd-ssh-XXXXXX";
		if (::mkdtemp(path.data()) == nullptr)
			return fail_errno(errno, path);
		return PrivateFolder(std::move(path));
	}
	PrivateFolder(PrivateFolder &&other) noexcept : path_(std::exchange(other.path_, {})) {}
	PrivateFolder(const PrivateFolder &) = delete;
	PrivateFolder &operator=(PrivateFolder &&) = delete;
	PrivateFolder &operator=(const PrivateFolder &) = delete;
	~PrivateFolder()
	{
		std::error_code ignored; // no caller is left to handle it
		if (!path_.empty())
			fs::remove_all(path_, ignored);
	}

	[[nodiscard]] const std::string &path() const { return path_; }

private:
	explicit PrivateFolder(std::string path) : path_(std::move(path)) {}

	std::string path_;
};

/// The last line of a program's output, with control characters replaced, since they could deceive
/// a terminal or a log.
std::string last_line(std::string_view text)
{
	constexpr size_t longest = 300;
	while (!text.empty() && std::strchr("\r\n \t", text.back()) != nullptr)
		text.remove_suffix(1);
	if (const auto begin = text.rfind('\n'); begin != std::string_view::npos)
		text.remove_prefix(begin + 1);
	std::string line(text.substr(0, longest));
	std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
	return line.empty() ? "no error message" : line;
}

class SshPeer final : public Peer {
public:
	SshPeer(SshAddress address, std::string identity, std::string known_hosts, PrivateFolder folder)
	    : address_(std::move(address)), identity_(std::move(identity)),
	      known_hosts_(std::move(known_hosts)), folder_(std::move(folder)),
	      socket_(folder_.path() + "/c"),
	      name_(fmt::format("ssh {}@{}", address_.user, known_host(address_)))
	{
	}
	SshPeer(const SshPeer &) = delete;
	SshPeer &operator=(const SshPeer &) = delete;
	~SshPeer() override { disconnect(); }

	[[nodiscard]] Result<size_t> pull(std::span<uint8_t> out,
	                                  std::chrono::milliseconds limit) override
	{
		auto pulled = run_ssh(out, limit);
		if (!pulled) {
			explicit_bzero(out.data(), out.size());
			disconnect();
		}
		return pulled;
	}

private:
	[[nodiscard]] Result<size_t> run_ssh(std::span<uint8_t> out, std::chrono::milliseconds limit)
	{
		const auto answer =
		    ask_program(name_, command(std::to_string(out.size()), limit), out, limit);
		if (!answer)
			return std::unexpected(answer.error());
		const int status = answer->status;
		if (!WIFEXITED(status))
			return fail(ExitCode::io_error,
			            fmt::format("{}: killed by signal {}", name_, WTERMSIG(status)));
		if (WEXITSTATUS(status) == ssh_failed)
			return fail(ExitCode::io_error,
			            fmt::format("{}: {}", name_, explain(answer->complaint)));
		if (WEXITSTATUS(status) != 0)
			return fail(ExitCode::io_error,
			            fmt::format("{}: the host refused (status {}): {}", name_,
			                        WEXITSTATUS(status), last_line(answer->complaint)));
		if (answer->size == 0)
			return fail(ExitCode::io_error, fmt::format("{}: returned no data", name_));
		return answer->size;
	}

	/// The command line of ssh(1). It never prompts, and trusts, offers and forwards only what is
	/// given here.
	[[nodiscard]] std::vector<std::string> command(const std::string &request,
	                                               std::chrono::milliseconds limit) const
	{
		const auto timeout = std::max(1s, std::chrono::ceil<std::chrono::seconds>(limit));
		std::vector<std::string> words{"ssh", "-F", "none", "-T", "-a", "-x"};
		for (const auto &option : {
		         std::string("BatchMode=yes"),
		         "IdentityFile=" + identity_,
		         std::string("IdentitiesOnly=yes"),
		         std::string("IdentityAgent=none"),
		         std::string("PreferredAuthentications=publickey"),
		         std::string("StrictHostKeyChecking=yes"),
		         "UserKnownHostsFile=" + known_hosts_,
		         std::string("GlobalKnownHostsFile=/dev/null"),
		         std::string("KnownHostsCommand=none"),
		         std::string("VerifyHostKeyDNS=no"),
		         std::string("UpdateHostKeys=no"),
		         std::string("ClearAllForwardings=yes"),
		         std::string("LogLevel=ERROR"),
		         std::string("ConnectionAttempts=1"),
		         fmt::format("ConnectTimeout={}", timeout.count()),
		         std::string("ServerAliveInterval=5"),
		         std::string("ServerAliveCountMax=2"),
		         std::string("ControlMaster=auto"),
		         std::string(persist),
		     }) {
			words.emplace_back("-o");
			words.push_back(option);
		}
		for (auto &word : address_words())
			words.push_back(std::move(word));
		words.push_back(request);
		return words;
	}

	[[nodiscard]] std::vector<std::string> address_words() const
	{
		return {"-S", socket_,       "-p", std::to_string(address_.port),
		        "-l", address_.user, "--", address_.host};
	}

	/// Explains an error of ssh(1), and says what to do if that is known.
	[[nodiscard]] std::string explain(const std::string &complaint) const
	{
		const auto account = fmt::format("{}@{}", address_.user, account_host());
		if (complaint.contains("HOST IDENTIFICATION HAS CHANGED"))
			return fmt::format(
			    "the host's key differs from the one in {}: the host was reinstalled, or another "
			    "machine intercepts the connection. Compare the new key on the host itself "
			    "(`ssh-keygen -lf`), then accept it: `hwrngctl ssh-setup client {} --replace`",
			    known_hosts_, account);
		if (complaint.contains("Host key verification failed") ||
		    complaint.contains("host key is known for"))
			return fmt::format("the host's key is not in {}: run `hwrngctl ssh-setup client {}` to "
			                   "add it",
			                   known_hosts_, account);
		if (complaint.contains("Permission denied"))
			return fmt::format("the host does not accept the key in {}: on the host, run `hwrngctl "
			                   "ssh-setup host NAME --key ...` ({})",
			                   identity_, last_line(complaint));
		return last_line(complaint);
	}

	[[nodiscard]] std::string account_host() const
	{
		const bool v6 = address_.host.contains(':');
		auto text = v6 ? fmt::format("[{}]", address_.host) : address_.host;
		if (address_.port != usual_port)
			text += fmt::format(":{}", address_.port);
		return text;
	}

	/// Ends the process that keeps the connection, if there is one.
	void disconnect()
	{
		std::error_code ignored; // without a socket there is no process
		if (!fs::exists(fs::symlink_status(socket_, ignored)))
			return;
		std::vector<std::string> words{"ssh", "-F", "none", "-O", "exit"};
		for (auto &word : address_words())
			words.push_back(std::move(word));
		std::array<uint8_t, 256> said{};
		// If this fails, the process has ended already, or it ends when ControlPersist expires.
		[[maybe_unused]] const auto told = ask_program(name_, words, said, end_limit);
		fs::remove(socket_, ignored);
	}

	SshAddress address_;
	std::string identity_;
	std::string known_hosts_;
	PrivateFolder folder_;
	std::string socket_;
	std::string name_;
};

/// True if ssh_config(5) can hold this path. It splits at spaces and expands % sequences.
bool is_plain(const std::string &path)
{
	return path.starts_with('/') && path.find_first_of(" \t\r\n\"'\\%$") == std::string::npos;
}

} // namespace

Result<std::unique_ptr<Peer>> ssh_peer(const SshAddress &address, const std::string &identity,
                                       const std::string &known_hosts)
{
	for (const auto &path : {identity, known_hosts})
		if (!is_plain(path))
			return fail(
			    ExitCode::usage,
			    fmt::format("\"{}\": give an absolute path without spaces, quotes, %, $ and "
			                "\\",
			                path));
	auto folder = PrivateFolder::make();
	if (!folder)
		return std::unexpected(folder.error());
	return std::make_unique<SshPeer>(address, identity, known_hosts, std::move(*folder));
}

std::string known_host(const SshAddress &address)
{
	if (address.port == usual_port)
		return address.host;
	return fmt::format("[{}]:{}", address.host, address.port);
}

} // namespace hwrngd
