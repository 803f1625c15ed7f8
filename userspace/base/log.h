// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's log: to the journal, or to standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hwrngd {

/// Priorities of syslog(3).
enum class Priority : uint8_t { error = 3, warning = 4, notice = 5, info = 6 };

/// The kind of a message, for programs that read the log. Each has a MESSAGE_ID in the journal,
/// listed in hwrngd(8) and explained in systemd/hwrngd.catalog.
enum class Event : uint8_t {
	source_changed, ///< HWRNGD_SOURCE, and its states in HWRNGD_FROM and HWRNGD_TO
	hwrng_chosen,   ///< HWRNGD_SOURCE
	hwrng_refused,  ///< the hwrng could not be selected, or the old one could not be restored
	config_read,
	config_refused,
	module_loaded,     ///< HWRNGD_MODULE
	module_not_loaded, ///< HWRNGD_MODULE
	fed_at_once,
	other_feeder, ///< HWRNGD_FEEDER: another program feeds the kernel's pool too
	pool_refused,
	egd_serving,  ///< the EGD server serves clients
	egd_died,     ///< the EGD server died; the message says if it is started again
	peer_changed, ///< HWRNGD_SOURCE: another machine stopped or resumed giving bytes
	failed,       ///< hwrngd exits because of an error
	restricted,   ///< the system refused something that hwrngd asked for
};

/// The event's MESSAGE_ID: 32 hexadecimal digits.
[[nodiscard]] std::string_view message_id(Event event);

/// Extra fields of a message: names in capitals (see systemd.journal-fields(7)) and values.
using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// Logs one message. Can be called from any thread.
void log(Priority priority, Event event, const std::string &message, const Fields &fields = {});

/// An entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
[[nodiscard]] std::string journal_entry(Priority priority, Event event, const std::string &message,
                                        const Fields &fields);

} // namespace hwrngd
