// SPDX-License-Identifier: GPL-2.0-or-later
// For libFuzzer: input of an EGD client in any pieces must be understood like the same input in one
// piece, and answered with as many bytes as it asked for. Aborts otherwise.
#include "egd/egd_protocol.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

using namespace hwrngd::egd;

namespace {

void must(bool good)
{
	if (!good)
		std::abort();
}

/// The result of a stream: all requests, and the number of bytes of the answers.
struct Seen {
	std::string requests;
	uint64_t bytes = 0;
	bool broken = false;

	bool operator==(const Seen &) const = default;
};

void note(Seen &seen, const Request &request)
{
	seen.requests += static_cast<char>(request.command);
	seen.requests += static_cast<char>(request.count);
	seen.requests.append(request.data.begin(), request.data.end());
}

/// Evaluates the whole stream in order, by the table in egd_protocol.h.
Seen at_once(std::span<const uint8_t> stream)
{
	Seen seen;
	while (true) {
		const auto request = parse(stream);
		if (!request) {
			seen.broken = request.error() == NoRequest::unknown;
			return seen;
		}
		must(request->size >= 1 && request->size <= std::min(longest_request, stream.size()));
		must(request->data.size() <= longest_data);
		note(seen, *request);
		switch (request->command) {
		case Command::available:
			seen.bytes += 4;
			break;
		case Command::read:
			seen.bytes += uint64_t{1} + request->count;
			break;
		case Command::read_blocking:
			seen.bytes += request->count;
			break;
		case Command::write:
			break;
		case Command::pid:
			seen.bytes += 1 + 4;
			break;
		}
		stream = stream.subspan(request->size);
	}
}

/// The same with a session. `chance` decides how much is received, given and sent at a time.
class InPieces {
public:
	explicit InPieces(uint64_t chance) : chance_(chance) {}

	Seen run(std::span<const uint8_t> stream)
	{
		while (true) {
			const auto room = session_.room();
			const size_t n = std::min({room.size(), stream.size(), draw(room.size() + 1)});
			std::copy_n(stream.begin(), n, room.begin());
			session_.received(n);
			stream = stream.subspan(n);
			const bool waited = !session_.output().empty();
			const bool went_on = answer();
			send();
			if (session_.broken() || (stream.empty() && !waited && !went_on))
				break;
		}
		seen_.broken = session_.broken();
		must(!seen_.broken || session_.room().empty());
		return seen_;
	}

private:
	size_t draw(size_t below)
	{
		chance_ = chance_ * 6364136223846793005U + 1442695040888963407U;
		return static_cast<size_t>(chance_ >> 33U) % below;
	}

	bool answer()
	{
		if (session_.due() > 0) {
			const size_t due = session_.due();
			const auto place = session_.give(draw(due + 1));
			must(place.size() <= due && session_.due() == due - place.size());
			return true;
		}
		const auto request = session_.next();
		if (!request)
			return false;
		note(seen_, *request);
		if (request->command == Command::available)
			session_.answer_available(chance_);
		else if (request->command == Command::read)
			must(session_.answer_read(request->count).size() == request->count);
		else if (request->command == Command::pid)
			session_.answer_pid(4711);
		return true;
	}

	void send()
	{
		const auto output = session_.output();
		must(output.size() <= longest_reply);
		const size_t n = draw(output.size() + 1);
		session_.sent(n);
		seen_.bytes += n;
	}

	uint64_t chance_;
	Session session_;
	Seen seen_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t chance = 0;
	if (size < sizeof chance)
		return 0;
	std::memcpy(&chance, data, sizeof chance);
	const auto stream = std::span(data, size).subspan(sizeof chance);
	auto expected = at_once(stream);
	const auto seen = InPieces(chance).run(stream);
	// A broken stream ends at the unknown command. All answers before it were sent.
	must(seen == expected);
	return 0;
}
