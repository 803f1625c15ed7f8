// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd-egd: serves bytes to clients by the EGD protocol. hwrngd starts it, and sends it the bytes
// through a socket, which is its standard input. It has no rights and can open no files.
#include "base/listener.h"
#include "base/log.h"
#include "base/privileges.h"
#include "egd/conditioned_pool.h"
#include "egd/egd_arguments.h"
#include "egd/egd_messages.h"
#include "egd/egd_server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

constexpr size_t pool_bytes = 16384;
// Below this level the pool is refilled.
constexpr size_t low_mark = pool_bytes / 4 * 3;
// Pause before the next request after no source had any bytes.
constexpr auto dry_pause = 1s;
// The daemon normally answers at once. After this time the request is repeated.
constexpr auto answer_limit = 15s;
// Minimum time between two reports of changes to the daemon.
constexpr auto report_interval = 500ms;
// Descriptors that are not clients': listeners, the connection, those of the event loop.
constexpr rlim_t spare_descriptors = 64;

EgdServer::Limits limits_of(const EgdArguments &arguments)
{
	EgdServer::Limits limits;
	limits.clients = arguments.max_clients;
	limits.clients_per_address = arguments.max_clients_per_address;
	limits.client_rate = arguments.bytes_per_second;
	limits.total_rate = arguments.total_bytes_per_second;
	limits.idle = arguments.idle;
	return limits;
}

class Serving {
public:
	Serving(FileDescriptor connection, FileDescriptor kernel, ConditionedPool pool,
	        const EgdServer::Limits &limits)
	    : connection_(io_, connection.release()), kernel_(std::move(kernel)), again_(io_),
	      report_(io_), pool_(std::move(pool)),
	      server_(io_, pool_, limits,
	              {.on_change = [this] { on_change(); }, .mix = [this](auto some) { mix(some); }})
	{
	}

	Result<void> listen(FileDescriptor socket, const LinkTo &link_to)
	{
		return server_.listen(std::move(socket), link_to);
	}

	/// Serves until the daemon ends.
	Result<void> run()
	{
		wait();
		send_report(true);
		io_.run();
		return ended_;
	}

private:
	void on_change()
	{
		filling_ = filling_ || pool_.size() < low_mark;
		request();
		if (std::exchange(reporting_, true))
			return;
		report_.expires_after(report_interval);
		report_.async_wait([this](const asio::error_code &error) {
			reporting_ = false;
			if (!error)
				send_report(false);
		});
	}

	/// Mixes a client's bytes into the kernel's pool without credit, so that they cannot do harm,
	/// whatever they are.
	void mix(std::span<const uint8_t> bytes)
	{
		if (!kernel_ || ::write(kernel_.get(), bytes.data(), bytes.size()) >= 0 || loss_logged_)
			return;
		loss_logged_ = true;
		log(Priority::warning, Event::restricted,
		    fail_errno(errno, "bytes that EGD clients send are lost").error().message);
	}

	void request()
	{
		filling_ = filling_ && !pool_.full();
		if (filling_ && !requested_)
			send_report(true);
	}

	void request_after(std::chrono::steady_clock::duration pause)
	{
		requested_ = true;
		again_.expires_after(pause);
		again_.async_wait([this](const asio::error_code &error) {
			if (error)
				return;
			requested_ = false;
			request();
		});
	}

	void send_report(bool wants)
	{
		const auto &counts = server_.counts();
		const egd::Report report{.wants = wants ? 1U : 0U,
		                         .pid = getpid(),
		                         .available = pool_.size(),
		                         .clients = counts.clients,
		                         .accepted = counts.accepted,
		                         .refused = counts.refused,
		                         .served = counts.served,
		                         .mixed = counts.mixed};
		// If the daemon is too busy to receive this report, another one follows.
		[[maybe_unused]] const auto sent = ::send(connection_.native_handle(), &report,
		                                          sizeof report, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (wants)
			request_after(answer_limit);
	}

	void wait()
	{
		connection_.async_wait(asio::posix::stream_descriptor::wait_read,
		                       [this](const asio::error_code &error) {
			                       if (!error && receive())
				                       wait();
		                       });
	}

	/// Returns whether to wait for more.
	[[nodiscard]] bool receive()
	{
		while (true) {
			// NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): MSG_DONTWAIT
			const auto n = ::recv(connection_.native_handle(), message_.span().data(),
			                      message_.span().size(), MSG_DONTWAIT);
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return true;
			egd::Portion head;
			if (n < static_cast<ssize_t>(sizeof head)) {
				io_.stop(); // the daemon has ended
				return false;
			}
			std::memcpy(&head, message_.span().data(), sizeof head);
			const auto bytes =
			    message_.span().subspan(sizeof head, static_cast<size_t>(n) - sizeof head);
			if (bytes.empty()) {
				end_round();
				continue;
			}
			received_ = true;
			ended_ = pool_.add(bytes, head.bits);
			explicit_bzero(bytes.data(), bytes.size());
			if (!ended_) {
				io_.stop();
				return false;
			}
			server_.refilled();
		}
	}

	void end_round()
	{
		if (!std::exchange(received_, false)) {
			request_after(dry_pause);
			return;
		}
		again_.cancel();
		requested_ = false;
		request();
	}

	asio::io_context io_{1};
	asio::posix::stream_descriptor connection_;
	FileDescriptor kernel_; ///< /dev/urandom
	asio::steady_timer again_;
	asio::steady_timer report_;
	ConditionedPool pool_;
	EgdServer server_;
	SecretBuffer message_{egd::longest_portion};
	Result<void> ended_;
	bool filling_ = true;
	bool requested_ = false; ///< a request, or the pause before the next one, is not over
	bool received_ = false;  ///< bytes, since the last request
	bool reporting_ = false;
	bool loss_logged_ = false;
};

/// Moves the connection from standard input to another descriptor.
Result<FileDescriptor> take_connection()
{
	int type = 0;
	socklen_t size = sizeof type;
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		return fail(ExitCode::usage,
		            "standard input is not a socket of hwrngd, which starts this program");
	FileDescriptor connection(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
	const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (!connection || !null || dup2(null.get(), STDIN_FILENO) < 0)
		return fail_errno(errno, "standard input");
	return connection;
}

/// Raises the limit of descriptors to what the clients need; if that fails, allows fewer clients.
void allow_descriptors(EgdServer::Limits &limits)
{
	struct rlimit now = {};
	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return;
	const rlim_t wanted = limits.clients + spare_descriptors;
	const struct rlimit more = {.rlim_cur = std::min(wanted, now.rlim_max),
	                            .rlim_max = now.rlim_max};
	if (now.rlim_cur < wanted && setrlimit(RLIMIT_NOFILE, &more) == 0)
		now.rlim_cur = more.rlim_cur;
	if (now.rlim_cur >= wanted)
		return;
	limits.clients = static_cast<unsigned>(
	    now.rlim_cur > spare_descriptors ? now.rlim_cur - spare_descriptors : 1);
	log(Priority::warning, Event::restricted,
	    fmt::format(
	        "there are file descriptors for only {} EGD clients; raise LimitNOFILE= for more",
	        limits.clients));
}

/// Sets up TLS with the files that are open as the descriptors from `first` on.
Result<LinkTo> tls_of(int first, const EgdArguments &arguments)
{
	constexpr std::array keys{"tls_certificate", "tls_key", "tls_client_ca"};
	const std::array paths{arguments.tls_certificate, arguments.tls_key, arguments.tls_client_ca};
	std::vector<SecretBuffer> contents;
	contents.reserve(keys.size());
	for (size_t i = 0; i < keys.size(); i++) {
		auto content = read_pem(FileDescriptor(first + static_cast<int>(i)),
		                        fmt::format("egd.{}: {}", keys.at(i), paths.at(i)));
		if (!content)
			return std::unexpected(content.error());
		contents.push_back(std::move(*content));
	}
	return serve_tls({paths[0], contents[0].span()}, {paths[1], contents[1].span()},
	                 {paths[2], contents[2].span()});
}

constexpr int first_listener = STDERR_FILENO + 1;

/// Sets up TLS if a listener is for TLS. If its files are wrong, logs that and returns nothing: if
/// the program ended, it would be started again, with the same files.
LinkTo tls_if_wanted(const EgdArguments &arguments)
{
	if (!arguments.kinds.contains('t'))
		return {};
	auto made = tls_of(first_listener + static_cast<int>(arguments.kinds.size()), arguments);
	if (made)
		return std::move(*made);
	log(Priority::error, Event::restricted,
	    made.error().message +
	        "; no client is served over TLS until this is corrected and hwrngd is restarted");
	return {};
}

/// Opens what clients' bytes are written to. Logs a failure.
FileDescriptor open_kernel_pool()
{
	FileDescriptor kernel(::open("/dev/urandom", O_WRONLY | O_CLOEXEC));
	if (!kernel)
		log(Priority::warning, Event::restricted,
		    fail_errno(errno, "bytes that EGD clients send are lost: /dev/urandom")
		        .error()
		        .message);
	return kernel;
}

/// Listens on every descriptor that was passed, and returns the text of the addresses where clients
/// are served. If a listener is for TLS but TLS could not be set up, its clients are disconnected.
Result<std::string> listen_at_all(Serving &serving, const std::string &kinds, const LinkTo &tls)
{
	const LinkTo disconnect = [](int) { return nullptr; };
	std::string addresses;
	for (size_t i = 0; i < kinds.size(); i++) {
		FileDescriptor listener(first_listener + static_cast<int>(i));
		auto address = address_of(listener);
		if (!address)
			return std::unexpected(address.error());
		address->tls = kinds[i] != 'p';
		const bool by_tls = kinds[i] == 't' && tls;
		const bool served = by_tls || !address->tls;
		if (served)
			addresses += (addresses.empty() ? "" : ", ") + text_of(*address);
		const auto &others = by_tls ? tls : disconnect;
		if (auto listening =
		        serving.listen(std::move(listener), address->tls ? others : plain_link);
		    !listening)
			return std::unexpected(listening.error());
	}
	return addresses;
}

/// Gives up all rights that serving does not need, and logs where clients are served.
Result<void> confine(const std::string &addresses)
{
	if (const auto locked = lock_memory(); !locked)
		log(Priority::warning, Event::restricted, locked.error().message);
	if (auto gave_up = give_up_rights({}, {}); !gave_up)
		return gave_up;
	if (auto forbidden = forbid_gaining_rights(); !forbidden)
		return forbidden;
	// Before the filter, since log() looks up where to write.
	log(Priority::info, Event::egd_serving,
	    addresses.empty() ? "no EGD clients are served" : "EGD clients are served at " + addresses);
	if (auto filtered = filter_system_calls_of_server(); !filtered)
		log(Priority::warning, Event::restricted, filtered.error().message);
	return {};
}

Result<void> run(const std::vector<std::string> &words)
{
	const auto arguments = EgdArguments::from_words(words);
	if (!arguments)
		return std::unexpected(arguments.error());
	const auto tls = tls_if_wanted(*arguments);
	auto connection = take_connection();
	if (!connection)
		return std::unexpected(connection.error());
	auto pool = ConditionedPool::make(pool_bytes);
	if (!pool)
		return std::unexpected(pool.error());
	auto kernel = open_kernel_pool();
	auto limits = limits_of(*arguments);
	allow_descriptors(limits);
	Serving serving(std::move(*connection), std::move(kernel), std::move(*pool), limits);
	const auto addresses = listen_at_all(serving, arguments->kinds, tls);
	if (!addresses)
		return std::unexpected(addresses.error());
	if (auto confined = confine(*addresses); !confined)
		return confined;
	return serving.run();
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	std::signal(SIGPIPE, SIG_IGN);
	const auto words = std::span(argv, static_cast<size_t>(argc)).subspan(argc > 0 ? 1 : 0);
	const auto done = run({words.begin(), words.end()});
	if (done)
		return 0;
	log(Priority::error, Event::failed, done.error().message);
	return static_cast<int>(done.error().code);
} catch (const std::exception &error) {
	std::fputs("hwrngd-egd: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return 1;
}
