// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/helper.h"

#include "base/privileges.h"
#include "base/root.h"
#include "base/unix_socket.h"
#include "control/config.h"
#include "control/programs.h"
#include "source/source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// Where a service manager offers a helper to the daemon's user.
constexpr const char *offer = "/run/hwrngd-helper";
// Longer than any of our requests and errors. Longer messages are cut.
constexpr size_t longest_message = 8192;
// Opening a device or starting a program is quick. Loading a module may wait for its device.
constexpr auto answer_limit = 10s;
constexpr auto load_limit = 120s;
constexpr auto end_limit = 2s;

enum class Task : int { open, load, run, jitter };

/// The sockets carry messages of a head and a text.
struct Head {
	Task task = Task::open;
	int flags = 0;  ///< of open(2)
	int code = 0;   ///< in an answer: ExitCode
	int number = 0; ///< in an answer: errno, or the status of a program
};

struct Message {
	Head head;
	std::string text;
	FileDescriptor fd; ///< the descriptor that came with it, if any
};

/// Sends a message, and `fd` with it if there is one. Returns 0 or an errno value.
[[nodiscard]] int send(int socket, const Head &head, std::string_view text, int fd = -1)
{
	std::string bytes(sizeof head, '\0');
	std::memcpy(bytes.data(), &head, sizeof head);
	bytes += text.substr(0, longest_message - sizeof head);
	struct iovec part = {.iov_base = bytes.data(), .iov_len = bytes.size()};
	alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
	struct msghdr message = {};
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	if (fd >= 0) {
		message.msg_control = control.data();
		message.msg_controllen = control.size();
		auto *rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof fd);
		std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	}
	while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/// Receives the next message. Returns nothing if the other side has closed the socket.
[[nodiscard]] std::optional<Message> receive(int socket)
{
	std::string bytes(longest_message, '\0');
	struct iovec part = {.iov_base = bytes.data(), .iov_len = bytes.size()};
	alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
	struct msghdr header = {};
	header.msg_iov = &part;
	header.msg_iovlen = 1;
	header.msg_control = control.data();
	header.msg_controllen = control.size();
	ssize_t n = 0;
	while ((n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0)
		if (errno != EINTR)
			return std::nullopt;
	Message message;
	if (const auto *rights = CMSG_FIRSTHDR(&header);
	    rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
		int fd = -1;
		std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
		message.fd = FileDescriptor(fd);
	}
	if (static_cast<size_t>(n) < sizeof message.head)
		return std::nullopt;
	std::memcpy(&message.head, bytes.data(), sizeof message.head);
	message.text = bytes.substr(sizeof message.head, static_cast<size_t>(n) - sizeof message.head);
	return message;
}

/// Handles one request in a process of its own, with all rights of the helper.
class RequestHandler {
public:
	RequestHandler(const Root &root, const std::filesystem::path &hwrngctl, FileDescriptor answers)
	    : root_(root), hwrngctl_(hwrngctl), answers_(std::move(answers))
	{
	}

	void run(const Message &request)
	{
		answer(perform(request.head.task, request.text, request.head.flags));
	}

	/// Sends the result of a request: an error, or success and the descriptor, if there is one.
	void answer(const Result<FileDescriptor> &done)
	{
		const Head head{.code = done ? 0 : static_cast<int>(done.error().code),
		                .number = done ? 0 : done.error().number};
		// It does not matter if the daemon no longer waits for the answer.
		[[maybe_unused]] const int error =
		    send(answers_.get(), head, done ? "" : done.error().message, done ? done->get() : -1);
	}

private:
	[[nodiscard]] Result<FileDescriptor> perform(Task task, const std::string &name, int flags)
	{
		switch (task) {
		case Task::open:
			return open(name, flags);
		case Task::load:
			return load(name);
		case Task::run:
			return run_command(name);
		case Task::jitter:
			return connect_jitter(root_);
		}
		return fail(ExitCode::usage, "hwrngd's helper got an unknown request");
	}

	/// The most permissive flags of open(2) with which the daemon may open `name`, or nothing if it
	/// may not. Flags without security impact are not included.
	[[nodiscard]] static std::optional<int> allowed(const std::string &name, const Config &config)
	{
		if (name == "/dev/hwrng" || name == "/dev/kmsg")
			return O_RDONLY;
		if (name == "/sys/class/misc/hw_random/rng_current" ||
		    name == "/sys/class/misc/hw_random/rng_quality")
			return O_WRONLY | O_TRUNC;
		constexpr std::string_view tpm = "/dev/tpmrm";
		if (name.starts_with(tpm) && name.size() > tpm.size() &&
		    name.find_first_not_of("0123456789", tpm.size()) == std::string::npos)
			return O_RDWR;
		const auto reads_it = [&](const auto &source) {
			return !source.second.path.empty() && source.second.path == name;
		};
		if (std::any_of(config.sources.begin(), config.sources.end(), reads_it))
			return O_RDWR;
		return std::nullopt;
	}

	[[nodiscard]] Result<FileDescriptor> open(const std::string &name, int flags) const
	{
		constexpr int harmless = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
		const auto config = read_config(root_);
		if (!config)
			return std::unexpected(config.error());
		const auto most = allowed(name, *config);
		// O_RDWR includes O_RDONLY, and each includes O_PATH, which gives access to nothing.
		const int requested = flags & ~harmless;
		if (!most || (requested != *most && requested != O_PATH &&
		              (*most != O_RDWR || requested != O_RDONLY)))
			return fail_errno(EACCES, root_.at(name).string());
		return root_.open(name, flags);
	}

	[[nodiscard]] Result<FileDescriptor> load(const std::string &module) const
	{
		const auto config = read_config(root_);
		if (!config)
			return std::unexpected(config.error());
		if (std::find(config->modules.begin(), config->modules.end(), module) ==
		    config->modules.end())
			return fail(
			    ExitCode::not_permitted,
			    fmt::format("module {} is not one of `modules` in the configuration", module));
		// The parent ignores SIGCHLD; this process must wait for its child.
		std::signal(SIGCHLD, SIG_DFL);
		const auto which = module.substr(0, module.find('_'));
		// The daemon has other work for the thread that waits for this.
		const auto ended = run_program(
		    {hwrngctl_.string(), "--root", root_.at("/").string(), "load", which, "--no-wait"});
		if (!ended)
			return std::unexpected(ended.error());
		if (!WIFEXITED(ended->status))
			return fail(ExitCode::io_error,
			            fmt::format("module {} was not loaded: hwrngctl was killed", module));
		if (const int code = WEXITSTATUS(ended->status); code != 0) {
			std::string_view why = ended->complaint;
			constexpr std::string_view prefix = "hwrngctl: ";
			why.remove_prefix(why.starts_with(prefix) ? prefix.size() : 0);
			return fail(static_cast<ExitCode>(code), std::string(why.substr(0, why.find('\n'))));
		}
		return FileDescriptor();
	}

	/// Starts a source's command, and sends the daemon its output and, at the end, its status. Ends
	/// the command when the daemon shuts the socket down or dies.
	[[nodiscard]] Result<FileDescriptor> run_command(const std::string &source)
	{
		const auto config = read_config(root_);
		if (!config)
			return std::unexpected(config.error());
		const auto found = config->sources.find(source);
		std::vector<std::string> words;
		if (found != config->sources.end())
			words = words_of(root_, hwrngctl_.parent_path(), source, found->second);
		if (words.empty())
			return fail(ExitCode::not_permitted,
			            fmt::format("source {} has no command in the configuration", source));
		const auto user = find_user(config->user);
		if (!user)
			return std::unexpected(user.error());
		if (auto gave_up = give_up_rights(*user, {.groups = true}); !gave_up)
			return std::unexpected(gave_up.error());
		// The parent ignores SIGCHLD; this process must wait for its child.
		std::signal(SIGCHLD, SIG_DFL);
		auto program = start_program(words);
		if (!program)
			return std::unexpected(program.error());
		if (send(answers_.get(), {}, "", (*program)->output()) != 0)
			return FileDescriptor(); // the destructor ends the program
		while (receive(answers_.get()))
			; // the daemon sends nothing: this ends when it closes the socket
		const auto status = (*program)->end();
		if (!status)
			return std::unexpected(status.error());
		[[maybe_unused]] const int error = // it does not matter if the daemon has died
		    send(answers_.get(), {.number = *status}, "");
		std::_Exit(0);
	}

	const Root &root_;
	const std::filesystem::path &hwrngctl_;
	FileDescriptor answers_;
};

/// The body of the helper. Each request has a process of its own: one that hangs in a driver delays
/// no other.
void serve_requests(const Root &root, const std::filesystem::path &hwrngctl,
                    FileDescriptor requests)
{
	prctl(PR_SET_NAME, "hwrngd-helper"); // for ps(1); it does not matter if this fails
	for (const int number : {SIGPIPE, SIGCHLD})
		std::signal(number, SIG_IGN);
	const auto bounded = give_up_rights(
	    {}, {.capabilities = {CAP_SYS_MODULE, CAP_SYSLOG, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
	                          CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL},
	         .passed_on = true});
	while (auto request = receive(requests.get())) {
		RequestHandler handler(root, hwrngctl, std::move(request->fd));
		if (!bounded) {
			handler.answer(std::unexpected(bounded.error()));
			continue;
		}
		const pid_t pid = fork();
		if (pid < 0)
			handler.answer(fail_errno(errno, "fork"));
		if (pid != 0)
			continue;
		requests = FileDescriptor();
		handler.run(*request);
		std::_Exit(0);
	}
}

std::unexpected<Error> fail_gone()
{
	return fail(ExitCode::io_error, "hwrngd's helper, which opens devices, has exited");
}

/// Sends a request, and returns the socket for its answers.
Result<FileDescriptor> ask(int requests, const Head &head, std::string_view text)
{
	std::array<int, 2> ends{};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
		return fail_errno(errno, "socketpair");
	FileDescriptor ours(ends[0]);
	const FileDescriptor theirs(ends[1]);
	if (send(requests, head, text, theirs.get()) != 0)
		return fail_gone();
	return ours;
}

/// Receives the answer to a request, if it comes within `limit`.
Result<Message> answer_of(int answers, std::chrono::milliseconds limit)
{
	const auto end = std::chrono::steady_clock::now() + limit;
	struct pollfd waited = {.fd = answers, .events = POLLIN, .revents = 0};
	while (true) {
		const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
		    end - std::chrono::steady_clock::now());
		const int ready = ::poll(&waited, 1, static_cast<int>(std::max(left, 0ms).count()));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return fail_errno(errno, "poll");
		if (ready == 0)
			return std::unexpected(
			    Error{ExitCode::io_error,
			          fmt::format("hwrngd's helper did not answer within {} s",
			                      std::chrono::duration_cast<std::chrono::seconds>(limit).count()),
			          ETIMEDOUT});
		break;
	}
	auto answer = receive(answers);
	if (!answer)
		return fail_gone();
	if (answer->head.code != 0)
		return std::unexpected(
		    Error{static_cast<ExitCode>(answer->head.code), answer->text, answer->head.number});
	return std::move(*answer);
}

/// Sends a request whose answer is a descriptor, and returns that.
Result<FileDescriptor> ask_for_fd(int requests, const Head &head, std::string_view text)
{
	const auto answers = ask(requests, head, text);
	if (!answers)
		return std::unexpected(answers.error());
	auto answer = answer_of(answers->get(), answer_limit);
	if (!answer)
		return std::unexpected(answer.error());
	return std::move(answer->fd);
}

class HelpedProgram : public Program {
public:
	HelpedProgram(FileDescriptor answers, FileDescriptor output)
	    : answers_(std::move(answers)), output_(std::move(output))
	{
	}

	[[nodiscard]] int output() const override { return output_.get(); }

	[[nodiscard]] Result<int> end() override
	{
		if (::shutdown(answers_.get(), SHUT_WR) < 0)
			return fail_errno(errno, "shutdown");
		const auto answer = answer_of(answers_.get(), end_limit);
		if (!answer)
			return std::unexpected(answer.error());
		return answer->head.number;
	}

private:
	FileDescriptor answers_;
	FileDescriptor output_;
};

} // namespace

Result<std::shared_ptr<const Helper>> Helper::start(const Root &root,
                                                    const std::filesystem::path &hwrngctl)
{
	std::array<int, 2> ends{};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
		return fail_errno(errno, "socketpair");
	FileDescriptor ours(ends[0]);
	FileDescriptor theirs(ends[1]);
	const pid_t pid = fork();
	if (pid < 0)
		return fail_errno(errno, "fork");
	if (pid == 0) {
		ours = FileDescriptor();
		// A signal may go to the whole group. The daemon still needs the helper for its shutdown.
		for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
			std::signal(number, SIG_IGN);
		serve_requests(root, hwrngctl, std::move(theirs));
		std::_Exit(0);
	}
	return std::shared_ptr<const Helper>(new Helper(std::move(ours)));
}

bool Helper::is_offered(const Root &root)
{
	return ::access(root.at(offer).c_str(), W_OK) == 0;
}

Result<std::shared_ptr<const Helper>> Helper::connect(const Root &root)
{
	auto requests = connect_unix(root.at(offer).string(), SOCK_SEQPACKET);
	if (!requests)
		return std::unexpected(requests.error());
	return std::shared_ptr<const Helper>(new Helper(std::move(*requests)));
}

Result<void> Helper::serve(const Root &root, const std::filesystem::path &hwrngctl)
{
	int type = 0;
	socklen_t size = sizeof type;
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		return fail(ExitCode::usage, "standard input is not a socket of a daemon: only "
		                             "hwrngd-helper.socket can use --helper");
	// Programs that are started for the daemon must not inherit the connection.
	FileDescriptor requests(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
	if (!requests)
		return fail_errno(errno, "fcntl");
	const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (!null || dup2(null.get(), STDIN_FILENO) < 0)
		return fail_errno(errno, "/dev/null");
	serve_requests(root, hwrngctl, std::move(requests));
	return {};
}

Result<FileDescriptor> Helper::open(std::string_view name, int flags) const
{
	return ask_for_fd(requests_.get(), {.task = Task::open, .flags = flags}, name);
}

Result<void> Helper::load(const std::string &module) const
{
	const auto answers = ask(requests_.get(), {.task = Task::load}, module);
	if (!answers)
		return std::unexpected(answers.error());
	const auto answer = answer_of(answers->get(), load_limit);
	if (!answer)
		return std::unexpected(answer.error());
	return {};
}

Result<FileDescriptor> Helper::jitter() const
{
	return ask_for_fd(requests_.get(), {.task = Task::jitter}, "");
}

Result<std::unique_ptr<Program>> Helper::run(const std::string &source) const
{
	auto answers = ask(requests_.get(), {.task = Task::run}, source);
	if (!answers)
		return std::unexpected(answers.error());
	auto answer = answer_of(answers->get(), answer_limit);
	if (!answer)
		return std::unexpected(answer.error());
	return std::make_unique<HelpedProgram>(std::move(*answers), std::move(answer->fd));
}

} // namespace hwrngd
