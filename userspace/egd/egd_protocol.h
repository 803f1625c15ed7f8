// SPDX-License-Identifier: GPL-2.0-or-later
// The protocol of the Entropy Gathering Daemon, as ekeyd, egd-linux and QEMU speak it: no input or
// output, so that it can be tried with anything.
//
//   00           bits that are available: 32 bits, big-endian
//   01 n         k and k bytes, as many of n as there are now; k may be 0
//   02 n         n bytes, as they come, with no length before them
//   03 b b n ..  no answer; n bytes of the client's, which it says hold b bits (big-endian)
//   04           the length of a process id, and that in ASCII
//
// Nobody is told of an error: an unknown command ends the connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

namespace hwrngd::egd {

enum class Command : uint8_t { available, read, read_blocking, write, pid };

struct Request {
	Command command = Command::available;
	uint8_t count = 0;             ///< of bytes that are asked for
	uint16_t bits = 0;             ///< that `data` holds, says the client
	std::span<const uint8_t> data; ///< of the client's; points into what was parsed
	size_t size = 1;               ///< of the request itself
};

/// Why there is no request.
enum class NoRequest : uint8_t { partial, unknown };

inline constexpr size_t longest_data = 255;
inline constexpr size_t longest_request = 4 + longest_data;
inline constexpr size_t longest_reply = 1 + longest_data;

/// The request at the beginning of `bytes`.
[[nodiscard]] std::expected<Request, NoRequest> parse(std::span<const uint8_t> bytes);

/// One client's side of a connection: what it sent and was not answered yet, and what it is to be
/// sent. One reply at a time, so that nobody has to hold more for it than the longest one, and a
/// request that waits for bytes waits alone. Bytes are wiped once they were sent.
class Session {
public:
	Session() = default;
	Session(Session &&) = delete;
	Session(const Session &) = delete;
	Session &operator=(Session &&) = delete;
	Session &operator=(const Session &) = delete;
	~Session();

	/// Where to put what the client sends; empty while it has sent enough for now.
	[[nodiscard]] std::span<uint8_t> room();
	void received(size_t bytes);

	/// The next whole request, once the one before has been answered and sent. Its data is there
	/// until room() is called.
	[[nodiscard]] std::optional<Request> next();
	/// It has sent what is no request: nothing that follows can be understood.
	[[nodiscard]] bool broken() const { return broken_; }
	/// There is something that next() has not returned.
	[[nodiscard]] bool pending() const { return in_begin_ < in_end_; }
	/// That is the beginning of a request, and no more.
	[[nodiscard]] bool partial() const;

	void answer_available(uint64_t bytes);
	void answer_pid(int pid);
	/// The answer to Command::read: where to put those `count` bytes, 255 at most.
	[[nodiscard]] std::span<uint8_t> answer_read(size_t count);
	/// Bytes that Command::read_blocking is still to be given.
	[[nodiscard]] size_t due() const { return due_; }
	/// Gives some of them: where to put these `count`, due() at most.
	[[nodiscard]] std::span<uint8_t> give(size_t count);

	[[nodiscard]] std::span<const uint8_t> output() const;
	void sent(size_t bytes);

private:
	[[nodiscard]] std::span<uint8_t> put(size_t bytes);

	// Two requests of the longest: while one waits, the next may come.
	std::array<uint8_t, 2 * longest_request> in_{};
	std::array<uint8_t, longest_reply> out_{};
	size_t in_begin_ = 0;
	size_t in_end_ = 0;
	size_t out_begin_ = 0;
	size_t out_end_ = 0;
	size_t due_ = 0;
	bool broken_ = false;
};

} // namespace hwrngd::egd
