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
// Feeds are a minute apart, unless the configuration says otherwise.
constexpr auto persist = "ControlPersist=120";
constexpr auto end_limit = 2s;
// ssh(1) says so of its own troubles; what the server's command said is anything else.
constexpr int of_ssh_itself = 255;

/// A folder of our own, which goes with us.
class PrivateFolder {
public:
	static Result<PrivateFolder> make()
	{
		// In /tmp, whatever TMPDIR says: the path of a socket is 107 bytes long at most, of which
		// ssh(1) needs some for itself.
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
		std::error_code ignored; // nobody is left who would do something about it
		if (!path_.empty())
			fs::remove_all(path_, ignored);
	}

	[[nodiscard]] const std::string &path() const { return path_; }

private:
	explicit PrivateFolder(std::string path) : path_(std::move(path)) {}

	std::string path_;
};

/// The last line of what a program said, without what could deceive a terminal or a log.
std::string last_line(std::string_view text)
{
	constexpr size_t longest = 300;
	while (!text.empty() && std::strchr("\r\n \t", text.back()) != nullptr)
		text.remove_suffix(1);
	if (const auto begin = text.rfind('\n'); begin != std::string_view::npos)
		text.remove_prefix(begin + 1);
	std::string line(text.substr(0, longest));
	std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
	return line.empty() ? "it says nothing" : line;
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
		auto pulled = ask(out, limit);
		if (!pulled) {
			explicit_bzero(out.data(), out.size());
			disconnect();
		}
		return pulled;
	}

private:
	[[nodiscard]] Result<size_t> ask(std::span<uint8_t> out, std::chrono::milliseconds limit)
	{
		const auto answer =
		    ask_program(name_, command(std::to_string(out.size()), limit), out, limit);
		if (!answer)
			return std::unexpected(answer.error());
		const int status = answer->status;
		if (!WIFEXITED(status))
			return fail(ExitCode::io_error,
			            fmt::format("{}: killed by signal {}", name_, WTERMSIG(status)));
		if (WEXITSTATUS(status) == of_ssh_itself)
			return fail(ExitCode::io_error, fmt::format("{}: {}", name_, why(answer->complaint)));
		if (WEXITSTATUS(status) != 0)
			return fail(ExitCode::io_error,
			            fmt::format("{}: the host refuses ({}): {}", name_, WEXITSTATUS(status),
			                        last_line(answer->complaint)));
		if (answer->size == 0)
			return fail(ExitCode::io_error, fmt::format("{}: gave nothing", name_));
		return answer->size;
	}

	/// ssh(1) that neither asks anybody, nor trusts, offers or forwards what it was not told here.
	[[nodiscard]] std::vector<std::string> command(const std::string &what,
	                                               std::chrono::milliseconds limit) const
	{
		const auto patience = std::max(1s, std::chrono::ceil<std::chrono::seconds>(limit));
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
		         fmt::format("ConnectTimeout={}", patience.count()),
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
		words.push_back(what);
		return words;
	}

	[[nodiscard]] std::vector<std::string> address_words() const
	{
		return {"-S", socket_,       "-p", std::to_string(address_.port),
		        "-l", address_.user, "--", address_.host};
	}

	/// What ssh(1) has complained about, and the way out where it is ours to know.
	[[nodiscard]] std::string why(const std::string &complaint) const
	{
		const auto account = fmt::format("{}@{}", address_.user, account_host());
		if (complaint.contains("HOST IDENTIFICATION HAS CHANGED"))
			return fmt::format(
			    "the host shows another key than {} has: it was installed anew, or somebody stands "
			    "in between. Once the host itself has confirmed its new key (`ssh-keygen -lf` "
			    "there), `hwrngctl ssh-setup client {} --replace` takes it",
			    known_hosts_, account);
		if (complaint.contains("Host key verification failed") ||
		    complaint.contains("host key is known for"))
			return fmt::format("the host's key is not in {}: `hwrngctl ssh-setup client {}` puts "
			                   "it there",
			                   known_hosts_, account);
		if (complaint.contains("Permission denied"))
			return fmt::format("the host does not take the key in {}: on the host, `hwrngctl "
			                   "ssh-setup host NAME --key ...` lets it in ({})",
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
		std::error_code ignored; // no socket, no process
		if (!fs::exists(fs::symlink_status(socket_, ignored)))
			return;
		std::vector<std::string> words{"ssh", "-F", "none", "-O", "exit"};
		for (auto &word : address_words())
			words.push_back(std::move(word));
		std::array<uint8_t, 256> said{};
		// If it cannot be told to end, then because it has ended; or its time runs out.
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

/// Can ssh_config(5) hold this name of a file? It splits at spaces, and replaces what follows %.
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
			return fail(ExitCode::usage,
			            fmt::format("\"{}\": give the whole path, with no space, quote, %, $ or "
			                        "\\ in it",
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
