// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include "base/file_descriptor.h"
#include "base/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

/// The journal's socket if the journal reads our standard error (JOURNAL_STREAM then holds its
/// device and inode, see systemd.exec(5)); otherwise an empty descriptor. libsystemd can do the
/// same, but it depends on libgcrypt and three compression libraries.
FileDescriptor connect_to_journal()
{
	const char *stream = std::getenv("JOURNAL_STREAM"); // NOLINT: no thread sets it
	struct stat place = {};
	if (stream == nullptr || ::fstat(STDERR_FILENO, &place) < 0 ||
	    stream != fmt::format("{}:{}", place.st_dev, place.st_ino))
		return {};
	auto fd = connect_unix("/run/systemd/journal/socket", SOCK_DGRAM);
	return fd ? std::move(*fd) : FileDescriptor();
}

void add_field(std::string &entry, std::string_view name, std::string_view value)
{
	entry += name;
	if (value.find('\n') == std::string_view::npos) {
		entry += '=';
	} else {
		entry += '\n';
		for (size_t size = value.size(), i = 0; i < sizeof(uint64_t); i++, size >>= 8U)
			entry += static_cast<char>(size & 0xffU); // little-endian
	}
	entry += value;
	entry += '\n';
}

} // namespace

std::string_view message_id(Event event)
{
	switch (event) {
	case Event::source_changed:
		return "73ac18dc0a1f442dba05ddc99a08b071";
	case Event::hwrng_chosen:
		return "6de9d0f5879c474a9c9723a78d38ac8c";
	case Event::hwrng_refused:
		return "df6b4e7c82a940a1a9429b5dc401ae4f";
	case Event::config_read:
		return "a8cb0d566ecd42ab87c5dd35443de0db";
	case Event::config_refused:
		return "13ce096f763347b5b8fd3da36c9b0080";
	case Event::module_loaded:
		return "6dd0efdfd1e74575b63820434bec69a1";
	case Event::module_not_loaded:
		return "420cf208841143b482449dcec2d4580f";
	case Event::fed_at_once:
		return "2136082ff4bb466c94d40760c84ffa89";
	case Event::other_feeder:
		return "26be8dbd86d94081bf28e5e7be51a429";
	case Event::pool_refused:
		return "226dc814a47c42618830dd99d180fc41";
	case Event::egd_serving:
		return "52c865b39367cce4e1127f45a8997712";
	case Event::egd_died:
		return "ad0ae804ef74e3c3d7628b02aa67e1f0";
	case Event::peer_changed:
		return "2bc4d2b7226849c1898bfd1b2b36ad39";
	case Event::failed:
		return "cef24b719bb0412286966fa7c6ab990d";
	case Event::restricted:
		break;
	}
	return "c04cb9e6a3d042e2b817ee05d4dea1f1";
}

std::string journal_entry(Priority priority, Event event, const std::string &message,
                          const Fields &fields)
{
	std::string entry;
	add_field(entry, "MESSAGE", message);
	add_field(entry, "MESSAGE_ID", message_id(event));
	add_field(entry, "PRIORITY", std::to_string(static_cast<int>(priority)));
	add_field(entry, "SYSLOG_IDENTIFIER", "hwrngd");
	for (const auto &[name, value] : fields)
		add_field(entry, name, value);
	return entry;
}

void log(Priority priority, Event event, const std::string &message, const Fields &fields)
{
	static const auto journal = connect_to_journal();
	if (journal) {
		const auto entry = journal_entry(priority, event, message, fields);
		if (::send(journal.get(), entry.data(), entry.size(), MSG_NOSIGNAL) >= 0)
			return;
	}
	// If the journal was restarted its socket is stale, but it still reads our standard error.
	if (std::getenv("JOURNAL_STREAM") != nullptr) // NOLINT: no thread sets it
		fmt::print(stderr, "<{}>{}\n", static_cast<int>(priority), message);
	else
		fmt::print(stderr, "hwrngd: {}\n", message);
}

} // namespace hwrngd
