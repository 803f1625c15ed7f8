// SPDX-License-Identifier: GPL-2.0-or-later
// The protocol of the Entropy Gathering Daemon, as ekeyd, egd-linux and QEMU speak it. There is no
// input or output here, so that tests can feed it anything.
//
//   request      answer
//   00           the number of available bits: 32 bits, big-endian
//   01 n         k, then k bytes: as many of n as there are now; k may be 0
//   02 n         n bytes, as they become available, without a length
//   03 b b n ..  none; the client gives n bytes that, it says, hold b bits (big-endian)
//   04           the length of the process id, then the process id in ASCII
//
// There are no error messages: an unknown command ends the connection.
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
	uint8_t count = 0;             ///< number of requested bytes
	uint16_t bits = 0;             ///< entropy of `data`, as the client claims
	std::span<const uint8_t> data; ///< from the client; points into the parsed bytes
	size_t size = 1;               ///< size of the request itself
};

/// Why there is no request.
enum class NoRequest : uint8_t { partial, unknown };

inline constexpr size_t longest_data = 255;
inline constexpr size_t longest_request = 4 + longest_data;
inline constexpr size_t longest_reply = 1 + longest_data;

/// The request at the beginning of `bytes`.
[[nodiscard]] std::expected<Request, NoRequest> parse(std::span<const uint8_t> bytes);

/// The buffers of one client's connection: requests that were not answered yet, and the reply that
/// is being sent. There is only one reply at a time, so the longest reply always fits. A request
/// that waits for bytes holds up those after it. Bytes are wiped after they were sent.
class Session {
public:
	Session() = default;
	Session(Session &&) = delete;
	Session(const Session &) = delete;
	Session &operator=(Session &&) = delete;
	Session &operator=(const Session &) = delete;
	~Session();

	/// Where to put what the client sends; empty while the buffer is full.
	[[nodiscard]] std::span<uint8_t> room();
	void received(size_t bytes);

	/// The next complete request, as soon as the reply to the one before was sent. Its data is
	/// valid until room() is called.
	[[nodiscard]] std::optional<Request> next();
	/// Did the client send an unknown command? Nothing after it can be understood.
	[[nodiscard]] bool broken() const { return broken_; }
	/// Is there input that next() has not returned yet?
	[[nodiscard]] bool pending() const { return in_begin_ < in_end_; }
	/// Is that input only the beginning of a request?
	[[nodiscard]] bool partial() const;

	void answer_available(uint64_t bytes);
	void answer_pid(int pid);
	/// Answers Command::read: where to put the `count` bytes, at most 255.
	[[nodiscard]] std::span<uint8_t> answer_read(size_t count);
	/// Bytes that a Command::read_blocking still has to get.
	[[nodiscard]] size_t due() const { return due_; }
	/// Gives it some of them: where to put the `count` bytes, at most due().
	[[nodiscard]] std::span<uint8_t> give(size_t count);

	[[nodiscard]] std::span<const uint8_t> output() const;
	void sent(size_t bytes);

private:
	[[nodiscard]] std::span<uint8_t> put(size_t bytes);

	// Twice the longest request: while one waits, the next may arrive.
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
