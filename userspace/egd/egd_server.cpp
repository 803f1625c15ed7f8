// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_server.h"

#include "egd/egd_protocol.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;
using egd::Command;

// Maximum bytes for one turn while others wait and the pool is short. If the pool has enough, an
// answer goes out whole: some clients, such as Crypt::Random::Seed, accept no pieces.
constexpr size_t turn = 64;
// How long a client that wants no delay (01) waits for its turn if others wait too. Without this,
// the clients that wait (02) would starve it.
constexpr auto read_wait = 100ms;
constexpr auto tick_interval = 2ms;
// Replies are short, and the kernel should not hold many for a client that does not read.
constexpr int socket_buffer = 4096;

void set_option(int socket, int level, int name, int value)
{
	// Each of these is only an improvement, so errors do not matter.
	[[maybe_unused]] const int result = setsockopt(socket, level, name, &value, sizeof value);
}

} // namespace

bool Allowance::spent(Time now)
{
	if (per_second_ == 0)
		return false;
	left_ = std::min(per_second_,
	                 left_ + per_second_ * std::chrono::duration<double>(now - last_).count());
	last_ = now;
	return left_ <= 0;
}

struct EgdServer::Client {
	Client(asio::io_context &io, uint64_t rate) : socket(io), allowance(rate) {}

	asio::posix::stream_descriptor socket;
	std::unique_ptr<EgdLink> link;
	egd::Session session;
	Allowance allowance;
	Addresses::iterator address;
	Time active = std::chrono::steady_clock::now(); ///< time of its last request
	std::optional<Time> slow_since;                 ///< since then it must finish something
	std::optional<uint8_t> read;                    ///< an 01 for this many bytes waits
	Time asked;                                     ///< time of that 01
	std::list<ClientPtr>::iterator place;           ///< in its address's queue, while it waits
	bool reading = false;                           ///< we wait until its socket is readable
	bool writing = false;                           ///< we wait until its socket is writable
	bool stuck = false;                             ///< we had to wait for that
	bool waiting = false;                           ///< for its turn
	bool throttled = false;
	bool posted = false; ///< run() will be called for it
	bool ended = false;  ///< it stopped sending
	bool closed = false;
};

EgdServer::EgdServer(asio::io_context &io, ConditionedPool &pool, const Limits &limits, Hooks hooks)
    : io_(io), pool_(pool), limits_(limits), hooks_(std::move(hooks)), total_(limits.total_rate),
      tick_(io), sweep_(io)
{
}

EgdServer::~EgdServer() = default;

Result<void> EgdServer::listen(FileDescriptor socket, LinkTo link_to)
{
	auto listener = EgdListener::open(io_, std::move(socket),
	                                  [this, link_to = std::move(link_to)](FileDescriptor client) {
		                                  return welcome(std::move(client), link_to);
	                                  });
	if (!listener)
		return std::unexpected(listener.error());
	listeners_.push_back(std::move(*listener));
	return {};
}

bool EgdServer::welcome(FileDescriptor socket, const LinkTo &link_to)
{
	const auto name = client_address(socket.get());
	const auto known = addresses_.find(name);
	if (clients_.size() >= limits_.clients ||
	    (known != addresses_.end() && known->second.clients >= limits_.clients_per_address)) {
		refuse();
		return false;
	}
	set_option(socket.get(), SOL_SOCKET, SO_SNDBUF, socket_buffer);
	set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, socket_buffer);
	set_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
	auto client = std::make_shared<Client>(io_, limits_.client_rate);
	asio::error_code error;
	client->link = link_to(socket.get());
	if (!client->link || client->socket.assign(socket.get(), error)) {
		refuse();
		return false;
	}
	[[maybe_unused]] const int owned = socket.release(); // the client owns it
	if (!client->link->ready())
		client->slow_since = client->active;
	client->address = addresses_.try_emplace(name).first;
	// A new address must not be better off than one that stayed.
	if (client->address->second.clients++ == 0)
		client->address->second.given = given_;
	clients_.emplace(client.get(), client);
	counts_.accepted++;
	counts_.clients = clients_.size();
	hooks_.on_change();
	arm_sweep();
	wait_to_read(client);
	return true;
}

void EgdServer::refuse()
{
	counts_.refused++;
	hooks_.on_change();
}

void EgdServer::close(const ClientPtr &client)
{
	if (std::exchange(client->closed, true))
		return;
	client->link->end();
	asio::error_code error;
	// The socket is not used again.
	[[maybe_unused]] const auto closed = client->socket.close(error);
	leave_queue(*client);
	clients_.erase(client.get());
	counts_.clients = clients_.size();
	if (--client->address->second.clients == 0)
		addresses_.erase(client->address);
	hooks_.on_change();
}

void EgdServer::wait_to_read(const ClientPtr &client)
{
	if (client->reading || client->ended || client->closed || client->session.room().empty())
		return;
	client->reading = true;
	if (client->link->pending()) {
		asio::post(io_, [this, client] {
			client->reading = false;
			if (!client->closed)
				receive(client);
			serve();
		});
		return;
	}
	client->socket.async_wait(asio::posix::stream_descriptor::wait_read,
	                          [this, client](const asio::error_code &error) {
		                          client->reading = false;
		                          if (error || client->closed)
			                          return;
		                          receive(client);
		                          serve();
	                          });
}

void EgdServer::wait_to_write(const ClientPtr &client, bool to_receive)
{
	client->writing = true;
	client->stuck = true;
	if (!client->slow_since)
		client->slow_since = std::chrono::steady_clock::now();
	client->socket.async_wait(asio::posix::stream_descriptor::wait_write,
	                          [this, client, to_receive](const asio::error_code &error) {
		                          client->writing = false;
		                          if (error || client->closed)
			                          return;
		                          if (to_receive)
			                          receive(client);
		                          else
			                          run(client);
		                          serve();
	                          });
}

void EgdServer::receive(const ClientPtr &client)
{
	const auto room = client->session.room();
	if (room.empty())
		return; // run() waits again as soon as there is room
	const auto n = client->link->receive(room);
	if (n < 0 && errno == EINPROGRESS) {
		wait_to_write(client, true);
		return;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close(client);
		return;
	}
	if (n > 0)
		client->session.received(static_cast<size_t>(n));
	if (n == 0) {
		// It may still wait for an answer.
		client->ended = true;
		if (!client->slow_since)
			client->slow_since = std::chrono::steady_clock::now();
	}
	run(client);
}

bool EgdServer::flush(const ClientPtr &client)
{
	auto &session = client->session;
	while (!session.output().empty()) {
		const auto n = client->link->send(session.output());
		if (n < 0 && errno == EAGAIN) {
			wait_to_write(client);
			return false;
		}
		if (n < 0 && errno != EINTR) {
			close(client);
			return false;
		}
		if (n > 0)
			session.sent(static_cast<size_t>(n));
	}
	return true;
}

void EgdServer::run(const ClientPtr &client)
{
	// run() is called again for a client that we wait for.
	if (client->closed || client->writing || client->posted)
		return;
	if (!flush(client))
		return;
	if (std::exchange(client->stuck, false) && !client->ended && client->link->ready())
		client->slow_since.reset();
	if (!client->waiting && !client->throttled && client->session.due() > 0)
		queue(client);
	if (!client->waiting && !client->throttled && begin_request(client) &&
	    (client->session.pending() || client->ended)) {
		// One request in each turn of the event loop, so that no client holds it up.
		client->posted = true;
		asio::post(io_, [this, client] {
			client->posted = false;
			run(client);
			serve();
		});
	}
	// Also while it waits for bytes: it may disconnect.
	wait_to_read(client);
}

/// Returns whether the client may have another request served. A request that cannot be answered
/// yet waits in a queue.
bool EgdServer::begin_request(const ClientPtr &client)
{
	auto &session = client->session;
	const auto now = std::chrono::steady_clock::now();
	if (client->allowance.spent(now)) {
		client->throttled = true;
		throttled_.push_back(client);
		arm_tick();
		return false;
	}
	const auto request = session.next();
	if (!request) {
		if (session.broken() || client->ended)
			close(client);
		else if (!session.partial() && client->link->ready())
			client->slow_since.reset();
		else if (!client->slow_since)
			client->slow_since = now;
		return false;
	}
	client->active = now;
	if (!client->ended)
		client->slow_since.reset();
	client->allowance.charge(std::max<uint64_t>(command_cost, request->size));
	switch (request->command) {
	case Command::available:
		session.answer_available(pool_.size());
		break;
	case Command::read:
		client->read = request->count;
		client->asked = now;
		if (!any_waits() || is_behind(*client))
			give(*client);
		break;
	case Command::read_blocking:
		if (!any_waits() || is_behind(*client))
			give(*client);
		break;
	case Command::write:
		counts_.mixed += request->data.size();
		hooks_.mix(request->data);
		hooks_.on_change();
		break;
	case Command::pid:
		session.answer_pid(getpid());
		break;
	}
	const bool unanswered = client->read || session.due() > 0;
	if (!flush(client))
		return false;
	if (unanswered)
		queue(client);
	return !unanswered;
}

void EgdServer::queue(const ClientPtr &client)
{
	auto &address = client->address->second;
	client->waiting = true;
	if (address.waiting.empty())
		address.place = turns_.emplace(std::max(address.given, given_), &address);
	client->place = address.waiting.insert(address.waiting.end(), client);
	if (client->read) {
		impatient_++;
		arm_tick();
	}
}

void EgdServer::leave_queue(Client &client)
{
	if (!std::exchange(client.waiting, false))
		return;
	impatient_ -= client.read ? 1 : 0;
	auto &address = client.address->second;
	address.waiting.erase(client.place);
	if (address.waiting.empty())
		turns_.erase(address.place);
}

EgdServer::ClientPtr EgdServer::next_in_turn()
{
	given_ = turns_.begin()->first;
	auto client = turns_.begin()->second->waiting.front();
	leave_queue(*client);
	return client;
}

bool EgdServer::is_behind(const Client &client)
{
	const auto &address = client.address->second;
	return any_waits() && address.waiting.empty() && address.given < given_;
}

void EgdServer::give(Client &client)
{
	const auto now = std::chrono::steady_clock::now();
	const bool nothing = pool_.size() == 0 || (total_.spent(now) && !is_behind(client));
	auto &session = client.session;
	std::span<uint8_t> place;
	if (client.read) {
		// An empty answer is better than no answer.
		if (nothing && any_waits() && now - client.asked < read_wait)
			return;
		place = session.answer_read(nothing ? 0 : std::min<size_t>(*client.read, pool_.size()));
		client.read.reset();
	} else {
		const bool enough = !any_waits() || pool_.size() >= session.due();
		const size_t most = enough ? session.due() : std::min(session.due(), turn);
		place = session.give(nothing ? 0 : std::min(most, pool_.size()));
	}
	if (place.empty())
		return;
	const size_t taken = pool_.take(place);
	counts_.served += taken;
	total_.charge(taken);
	auto &address = client.address->second;
	address.given = std::max(address.given, given_) + taken;
	// What was given while there was enough for all is not held against anyone.
	if (!any_waits())
		given_ = address.given;
	if (taken > command_cost)
		client.allowance.charge(taken - command_cost);
	hooks_.on_change();
}

void EgdServer::serve()
{
	while (any_waits() && pool_.size() > 0) {
		if (total_.spent(std::chrono::steady_clock::now())) {
			arm_tick();
			return;
		}
		const auto client = next_in_turn();
		give(*client);
		auto &address = client->address->second;
		if (!address.waiting.empty()) {
			turns_.erase(address.place);
			address.place = turns_.emplace(address.given, &address);
		}
		run(client);
	}
}

void EgdServer::tick()
{
	ticking_ = false;
	const auto now = std::chrono::steady_clock::now();
	for (const auto &client : std::exchange(throttled_, {})) {
		client->throttled = client->allowance.spent(now);
		if (client->throttled && !client->closed)
			throttled_.push_back(client);
		else
			run(client);
	}
	serve();
	answer_late(now);
	if (!throttled_.empty() || impatient_ > 0 || (any_waits() && total_.spent(now)))
		arm_tick();
}

/// Sends an empty answer to clients that wanted no delay and whose turn has not come.
void EgdServer::answer_late(Time now)
{
	if (impatient_ == 0)
		return;
	std::vector<ClientPtr> late;
	for (const auto &[given, address] : turns_)
		for (const auto &client : address->waiting)
			if (client->read && now - client->asked >= read_wait)
				late.push_back(client);
	for (const auto &client : late) {
		leave_queue(*client);
		client->read.reset();
		[[maybe_unused]] const auto empty = client->session.answer_read(0);
		run(client);
	}
}

void EgdServer::arm_tick()
{
	if (std::exchange(ticking_, true))
		return;
	tick_.expires_after(tick_interval);
	tick_.async_wait([this](const asio::error_code &error) {
		if (!error)
			tick();
	});
}

void EgdServer::arm_sweep()
{
	if (std::exchange(sweeping_, true))
		return;
	sweep_.expires_after(limits_.patience / 4);
	sweep_.async_wait([this](const asio::error_code &error) {
		if (!error)
			sweep();
	});
}

void EgdServer::sweep()
{
	sweeping_ = false;
	const auto now = std::chrono::steady_clock::now();
	std::vector<ClientPtr> late;
	for (const auto &[key, client] : clients_) {
		const auto since = client->slow_since;
		const bool slow = since && now - *since >= limits_.patience;
		const bool idle = limits_.idle.count() > 0 && !client->waiting && !client->throttled &&
		                  now - client->active >= limits_.idle;
		if (slow || idle)
			late.push_back(client);
	}
	for (const auto &client : late)
		close(client);
	if (!clients_.empty())
		arm_sweep();
}

} // namespace hwrngd
