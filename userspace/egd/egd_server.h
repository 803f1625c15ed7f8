// SPDX-License-Identifier: GPL-2.0-or-later
// Hands out a pool's bytes to clients by the EGD protocol, in fair shares. Uses one thread.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "egd/conditioned_pool.h"
#include "egd/egd_link.h"
#include "egd/egd_listener.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace hwrngd {

/// A rate limit: `per_second` bytes per second, with a burst of one second's worth. A client may
/// overdraw it by one request, and then waits longer.
class Allowance {
public:
	using Time = std::chrono::steady_clock::time_point;

	/// 0: no limit.
	explicit Allowance(uint64_t per_second) : per_second_(static_cast<double>(per_second)) {}

	[[nodiscard]] bool spent(Time now);
	void charge(uint64_t bytes) { left_ -= static_cast<double>(bytes); }

private:
	double per_second_;
	double left_ = per_second_;
	Time last_ = std::chrono::steady_clock::now();
};

class EgdServer {
public:
	struct Limits {
		unsigned clients = 1000;
		/// For each IPv4 address, IPv6 /64 or, on a unix socket, user.
		unsigned clients_per_address = 64;
		// Bytes per second; 0: no limit.
		uint64_t client_rate = 65536;
		uint64_t total_rate = 1048576;
		std::chrono::milliseconds idle{3'600'000}; ///< without a request; 0: no limit
		/// Time to complete a request, to accept a reply, or to be answered after the client
		/// stopped sending.
		std::chrono::milliseconds patience{10'000};
	};

	struct Hooks {
		/// The pool has less than before, or counts() changed. Must not call the server.
		std::function<void()> on_change;
		/// A client sent bytes, which can be anything. Must not call the server.
		std::function<void(std::span<const uint8_t>)> mix;
	};

	struct Counts {
		uint64_t clients = 0;  ///< connected now
		uint64_t accepted = 0; ///< since the start
		uint64_t refused = 0;  ///< because there were too many
		uint64_t served = 0;   ///< bytes
		uint64_t mixed = 0;    ///< bytes from clients
	};

	/// Every command is charged at least this many bytes.
	static constexpr uint64_t command_cost = 64;

	EgdServer(asio::io_context &io, ConditionedPool &pool, const Limits &limits, Hooks hooks);
	EgdServer(const EgdServer &) = delete;
	EgdServer &operator=(const EgdServer &) = delete;
	~EgdServer();

	/// Accepts clients from a listening stream socket, through links that `link_to` makes.
	[[nodiscard]] Result<void> listen(FileDescriptor socket, LinkTo link_to = plain_link);

	/// Call this after adding to the pool.
	void refilled() { serve(); }

	[[nodiscard]] const Counts &counts() const { return counts_; }

private:
	using Time = Allowance::Time;
	struct Client;
	using ClientPtr = std::shared_ptr<Client>;

	/// Clients of one client_address(). The address that got the least comes next, by start-time
	/// fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996). So an address with many clients, or with
	/// large requests, takes nothing from others.
	struct Address;
	using Turns = std::multimap<uint64_t, Address *>;
	struct Address {
		unsigned clients = 0;
		uint64_t given = 0;           ///< bytes; it starts with what the others already got
		std::list<ClientPtr> waiting; ///< for bytes, in order
		Turns::iterator place;        ///< in turns_, while some wait
	};
	using Addresses = std::map<std::string, Address>;

	/// Returns whether the client may stay.
	[[nodiscard]] bool welcome(FileDescriptor socket, const LinkTo &link_to);

	void wait_to_read(const ClientPtr &client);
	/// Waits until the socket is writable, and then receives or sends.
	void wait_to_write(const ClientPtr &client, bool to_receive = false);
	void receive(const ClientPtr &client);
	/// Sends the session's output; false if not all of it can be sent now.
	[[nodiscard]] bool flush(const ClientPtr &client);
	/// Serves a client until it, or we, must wait for something.
	void run(const ClientPtr &client);
	[[nodiscard]] bool begin_request(const ClientPtr &client);
	void queue(const ClientPtr &client);
	void leave_queue(Client &client);
	/// Takes the client whose turn it is out of the queue.
	[[nodiscard]] ClientPtr next_in_turn();
	[[nodiscard]] bool any_waits() const { return !turns_.empty(); }
	/// Do others wait although this client's address got less? Then it comes next, even if the
	/// total rate is spent: small requests need not wait for large ones.
	[[nodiscard]] bool is_behind(const Client &client);
	/// Gives a client, whose turn it is, its portion.
	void give(Client &client);
	/// Gives bytes to all waiting clients in turn, while there are any.
	void serve();
	/// Checks again what only time changes.
	void tick();
	void answer_late(Time now);
	void arm_tick();
	void sweep();
	void arm_sweep();
	void close(const ClientPtr &client);
	/// Counts a client that cannot be served.
	void refuse();

	asio::io_context &io_;
	ConditionedPool &pool_;
	Limits limits_;
	Hooks hooks_;
	Counts counts_;
	Allowance total_;
	std::vector<std::unique_ptr<EgdListener>> listeners_;
	std::map<const Client *, ClientPtr> clients_;
	Addresses addresses_;              ///< those that have clients
	Turns turns_;                      ///< those with waiting clients, by what they got
	uint64_t given_ = 0;               ///< of the address that had the last turn
	std::vector<ClientPtr> throttled_; ///< until their allowance is refilled
	unsigned impatient_ = 0;           ///< number of waiting clients that want no delay (01)
	asio::steady_timer tick_;
	asio::steady_timer sweep_;
	bool ticking_ = false;
	bool sweeping_ = false;
};

} // namespace hwrngd
