// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon tells the journal, or whoever reads its standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hwrngd {

/// Priorities of syslog(3).
enum class Priority : uint8_t { error = 3, warning = 4, notice = 5, info = 6 };

/// What happened, for programs: each has a MESSAGE_ID in the journal, listed in hwrngd(8) and
/// explained in systemd/hwrngd.catalog.
enum class Event : uint8_t {
	source_changed, ///< HWRNGD_SOURCE, HWRNGD_FROM and HWRNGD_TO: the states
	hwrng_chosen,   ///< HWRNGD_SOURCE
	hwrng_refused,  ///< the choice could not be made, or not be put back
	config_read,
	config_refused,
	module_loaded,     ///< HWRNGD_MODULE
	module_not_loaded, ///< HWRNGD_MODULE
	fed_at_once,
	other_feeder, ///< HWRNGD_FEEDER: another program feeds the kernel's pool too
	pool_refused,
	egd_serving,  ///< clients are served by the protocol of EGD
	egd_died,     ///< the server that does so, and it is started again if that is said
	peer_changed, ///< HWRNGD_SOURCE: another machine gives no bytes, or gives some again
	failed,       ///< hwrngd ends
	restricted,   ///< something that hwrngd asked of the system was not to be had
};

/// 32 hexadecimal digits.
[[nodiscard]] std::string_view message_id(Event event);

/// More about an event: names in capitals, as systemd.journal-fields(7) wants them, and values.
using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// Tells one message, from any thread.
void log(Priority priority, Event event, const std::string &message, const Fields &fields = {});

/// An entry as the journal's socket takes it (systemd.io/JOURNAL_NATIVE_PROTOCOL).
[[nodiscard]] std::string journal_entry(Priority priority, Event event, const std::string &message,
                                        const Fields &fields);

} // namespace hwrngd
