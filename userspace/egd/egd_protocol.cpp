// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_protocol.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace hwrngd::egd {

std::expected<Request, NoRequest> parse(std::span<const uint8_t> bytes)
{
	if (bytes.empty())
		return std::unexpected(NoRequest::partial);
	if (bytes[0] > static_cast<uint8_t>(Command::pid))
		return std::unexpected(NoRequest::unknown);
	Request request;
	request.command = static_cast<Command>(bytes[0]);
	switch (request.command) {
	case Command::available:
	case Command::pid:
		break;
	case Command::read:
	case Command::read_blocking:
		request.size = 2;
		if (bytes.size() < request.size)
			return std::unexpected(NoRequest::partial);
		request.count = bytes[1];
		break;
	case Command::write:
		constexpr size_t head = 4;
		if (bytes.size() < head || bytes.size() < head + bytes[3])
			return std::unexpected(NoRequest::partial);
		request.bits = static_cast<uint16_t>(bytes[1] << 8U | bytes[2]);
		request.size = head + bytes[3];
		request.data = bytes.subspan(head, bytes[3]);
		break;
	}
	return request;
}

Session::~Session()
{
	explicit_bzero(in_.data(), in_.size());
	explicit_bzero(out_.data(), out_.size());
}

std::span<uint8_t> Session::room()
{
	if (broken_)
		return {};
	if (in_begin_ > 0) {
		std::copy(in_.begin() + static_cast<ptrdiff_t>(in_begin_),
		          in_.begin() + static_cast<ptrdiff_t>(in_end_), in_.begin());
		in_end_ -= in_begin_;
		in_begin_ = 0;
	}
	return std::span(in_).subspan(in_end_);
}

void Session::received(size_t bytes)
{
	in_end_ += std::min(bytes, in_.size() - in_end_);
}

std::optional<Request> Session::next()
{
	if (broken_ || due_ > 0 || !output().empty())
		return std::nullopt;
	const auto request = parse(std::span(in_).subspan(in_begin_, in_end_ - in_begin_));
	if (!request) {
		broken_ = request.error() == NoRequest::unknown;
		return std::nullopt;
	}
	in_begin_ += request->size;
	if (request->command == Command::read_blocking)
		due_ = request->count;
	return *request;
}

bool Session::partial() const
{
	const auto bytes = std::span(in_).subspan(in_begin_, in_end_ - in_begin_);
	return pending() && parse(bytes) == std::unexpected(NoRequest::partial);
}

std::span<uint8_t> Session::put(size_t bytes)
{
	if (out_begin_ == out_end_)
		out_begin_ = out_end_ = 0;
	const auto place = std::span(out_).subspan(out_end_, std::min(bytes, out_.size() - out_end_));
	out_end_ += place.size();
	return place;
}

void Session::answer_available(uint64_t bytes)
{
	constexpr uint64_t most = std::numeric_limits<uint32_t>::max();
	auto bits = static_cast<uint32_t>(std::min(bytes, most / 8) * 8);
	const auto place = put(sizeof bits);
	for (size_t i = place.size(); i-- > 0; bits >>= 8U)
		place[i] = static_cast<uint8_t>(bits);
}

void Session::answer_pid(int pid)
{
	const auto digits = std::to_string(pid);
	const auto place = put(1 + digits.size());
	place[0] = static_cast<uint8_t>(digits.size());
	std::ranges::copy(digits, place.begin() + 1);
}

std::span<uint8_t> Session::answer_read(size_t count)
{
	count = std::min(count, longest_data);
	const auto place = put(1 + count);
	place[0] = static_cast<uint8_t>(count);
	return place.subspan(1);
}

std::span<uint8_t> Session::give(size_t count)
{
	const auto place = put(std::min(count, due_));
	due_ -= place.size();
	return place;
}

std::span<const uint8_t> Session::output() const
{
	return std::span(out_).subspan(out_begin_, out_end_ - out_begin_);
}

void Session::sent(size_t bytes)
{
	bytes = std::min(bytes, out_end_ - out_begin_);
	explicit_bzero(out_.data() + out_begin_, bytes);
	out_begin_ += bytes;
}

} // namespace hwrngd::egd
