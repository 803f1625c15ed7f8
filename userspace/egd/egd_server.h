// SPDX-License-Identifier: GPL-2.0-or-later
// Gives a pool's bytes to clients by the protocol of EGD, to each its share. One thread.
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

/// So many bytes a second, and a second's worth at once. Whoever has spent it may have gone over it
/// by one request, and waits the longer.
class Allowance {
public:
	using Time = std::chrono::steady_clock::time_point;

	/// 0: without limit.
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
		/// Of one IPv4 address, IPv6 /64 or, by a unix socket, user.
		unsigned clients_per_address = 64;
		// Bytes a second; 0: without limit.
		uint64_t client_rate = 65536;
		uint64_t total_rate = 1048576;
		std::chrono::milliseconds idle{3'600'000}; ///< without a request; 0: for ever
		/// To finish a request that was begun, to take a reply, to be answered after hanging up.
		std::chrono::milliseconds patience{10'000};
	};

	struct Hooks {
		/// The pool has less than before, or counts() has changed. Must not call back.
		std::function<void()> on_change;
		/// A client gave bytes, which may be anything. Must not call back.
		std::function<void(std::span<const uint8_t>)> mix;
	};

	struct Counts {
		uint64_t clients = 0;  ///< now
		uint64_t accepted = 0; ///< in all
		uint64_t refused = 0;  ///< for there were too many
		uint64_t served = 0;   ///< bytes
		uint64_t mixed = 0;    ///< bytes of clients
	};

	/// A command counts as so many bytes at least.
	static constexpr uint64_t command_cost = 64;

	EgdServer(asio::io_context &io, ConditionedPool &pool, const Limits &limits, Hooks hooks);
	EgdServer(const EgdServer &) = delete;
	EgdServer &operator=(const EgdServer &) = delete;
	~EgdServer();

	/// Takes clients from a listening stream socket, by links that `link_to` makes.
	[[nodiscard]] Result<void> listen(FileDescriptor socket, LinkTo link_to = plain_link);

	/// The pool may have more than before.
	void refilled() { serve(); }

	[[nodiscard]] const Counts &counts() const { return counts_; }

private:
	using Time = Allowance::Time;
	struct Client;
	using ClientPtr = std::shared_ptr<Client>;

	/// Whom clients are counted under. Those addresses have their turns first that were given
	/// least, by start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996): who comes with many
	/// clients, or asks for a lot, takes nothing from others.
	struct Address;
	using Turns = std::multimap<uint64_t, Address *>;
	struct Address {
		unsigned clients = 0;
		uint64_t given = 0;           ///< bytes, as if it had been given its share before it came
		std::list<ClientPtr> waiting; ///< for bytes, in the order of their turns
		Turns::iterator place;        ///< while some wait
	};
	using Addresses = std::map<std::string, Address>;

	/// Returns whether it may stay.
	[[nodiscard]] bool welcome(FileDescriptor socket, const LinkTo &link_to);

	void wait_to_read(const ClientPtr &client);
	/// Waits until it takes more, and then receives or sends.
	void wait_to_write(const ClientPtr &client, bool to_receive = false);
	void receive(const ClientPtr &client);
	/// Sends what is to be sent; false if it cannot all be sent now.
	[[nodiscard]] bool flush(const ClientPtr &client);
	/// Goes on with a client until it, or we, must wait for something.
	void run(const ClientPtr &client);
	[[nodiscard]] bool begin_request(const ClientPtr &client);
	void queue(const ClientPtr &client);
	void leave_queue(Client &client);
	/// The client whose turn it is, out of the queue.
	[[nodiscard]] ClientPtr next_in_turn();
	[[nodiscard]] bool somebody_waits() const { return !turns_.empty(); }
	/// Others wait, and its turn would be the next: who asks for little need not wait for those who
	/// ask for a lot, not even until these have paid for what they had.
	[[nodiscard]] bool is_behind(const Client &client);
	/// Gives a client whose turn it is what it may have.
	void give(Client &client);
	/// To all who wait for bytes, in turn, while there are any.
	void serve();
	/// Looks again at what only time changes.
	void tick();
	void refuse_late(Time now);
	void arm_tick();
	void sweep();
	void arm_sweep();
	void close(const ClientPtr &client);
	/// Counts a client who came and cannot be served.
	void refuse();

	asio::io_context &io_;
	ConditionedPool &pool_;
	Limits limits_;
	Hooks hooks_;
	Counts counts_;
	Allowance total_;
	std::vector<std::unique_ptr<EgdListener>> listeners_;
	std::map<const Client *, ClientPtr> clients_;
	Addresses addresses_;              ///< that have clients
	Turns turns_;                      ///< of those with clients that wait, by what they were given
	uint64_t given_ = 0;               ///< by the last of them to have its turn
	std::vector<ClientPtr> throttled_; ///< until their allowance is there again
	unsigned polite_ = 0;              ///< of those who wait, such as want no delay
	asio::steady_timer tick_;
	asio::steady_timer sweep_;
	bool ticking_ = false;
	bool sweeping_ = false;
};

} // namespace hwrngd
