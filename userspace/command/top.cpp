// SPDX-License-Identifier: GPL-2.0-or-later
// `top`: a live view of the sources on a terminal.
#include "base/interrupt.h"
#include "base/json_object.h"
#include "command/command.h"
#include "command/top_view.h"
#include "status/ask.h"

#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <clocale>
#include <cstdlib>
#include <memory>

#define NCURSES_NOMACROS // otherwise it defines macros such as move and clear
#include <curses.h>
#include <term.h>
#undef lines // a macro of term.h

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Takes a sample of the machine. An error of the daemon is part of it, because it may answer the
/// next time.
TopSample take_sample(const Context &context, const Config &config)
{
	using namespace std::chrono;
	TopSample sample;
	sample.inventory = take_inventory(context.root, config);
	if (auto answer = ask_daemon(context.root))
		sample.daemon = std::move(*answer);
	else
		sample.no_answer = answer.error().message;
	sample.time = duration<double>(system_clock::now().time_since_epoch()).count();
	sample.steady = duration<double>(Clock::now().time_since_epoch()).count();
	sample.rows = source_rows(sample.inventory, sample.daemon);
	return sample;
}

/// The last two samples, and the changes since the first one.
class Watch {
public:
	Watch(const Context &context, const Config &config) : context_(context), config_(config)
	{
		before_ = now_ = take_sample(context, config);
	}

	void update()
	{
		before_ = std::exchange(now_, take_sample(context_, config_));
		for (auto &change : changes_between(before_, now_))
			changes_.push_back(std::move(change));
		constexpr size_t most = 100;
		if (changes_.size() > most)
			changes_.erase(changes_.begin(), changes_.end() - most);
	}

	[[nodiscard]] const TopSample &now() const { return now_; }
	[[nodiscard]] std::vector<TopLine> lines(const TopView &view) const
	{
		return top_lines(before_, now_, changes_, view);
	}
	[[nodiscard]] SourceActivity activity_of(const SourceRow &row) const
	{
		return activity(before_, now_, row);
	}

private:
	const Context &context_;
	const Config &config_;
	TopSample before_;
	TopSample now_;
	std::vector<TopChange> changes_;
};

/// The terminal. The destructor restores its state.
class Terminal {
public:
	static Result<std::unique_ptr<Terminal>> open()
	{
		// NOLINTBEGIN(concurrency-mt-unsafe): there is one thread
		const char *type = std::getenv("TERM");
		std::setlocale(LC_CTYPE, "");
		// newterm(3X) also accepts a "dumb" terminal, whose cursor cannot move, and leaks memory
		// if it fails.
		int known = 0;
		const bool fit =
		    setupterm(nullptr, STDOUT_FILENO, &known) == OK && tigetstr("cup") != nullptr;
		del_curterm(cur_term);
		auto *screen = fit ? newterm(nullptr, stdout, stdin) : nullptr;
		if (screen == nullptr)
			return fail(
			    ExitCode::unavailable,
			    fmt::format("the terminal \"{}\" (TERM) is not known here, or cannot move its "
			                "cursor; set TERM to another one, or use `hwrngctl top --batch`",
			                type == nullptr ? "" : type));
		const char *plain = std::getenv("NO_COLOR");
		// NOLINTEND(concurrency-mt-unsafe)
		return std::unique_ptr<Terminal>(new Terminal(screen, plain == nullptr || *plain == '\0'));
	}
	Terminal(const Terminal &) = delete;
	Terminal &operator=(const Terminal &) = delete;
	~Terminal()
	{
		// The shell's prompt appears here if the terminal has no second screen to switch back from.
		wmove(stdscr, getmaxy(stdscr) - 1, 0);
		wclrtoeol(stdscr);
		wrefresh(stdscr);
		endwin();
		delscreen(screen_);
	}

	[[nodiscard]] static size_t width() { return static_cast<size_t>(getmaxx(stdscr)); }
	[[nodiscard]] static size_t height() { return static_cast<size_t>(getmaxy(stdscr)); }

	void draw(const std::vector<TopLine> &lines) const
	{
		werase(stdscr);
		for (size_t i = 0; i < lines.size(); i++) {
			const auto attributes = attributes_of(lines[i].look);
			wattrset(stdscr, static_cast<int>(attributes));
			mvwaddnstr(stdscr, static_cast<int>(i), 0, lines[i].text.c_str(), -1);
		}
		wrefresh(stdscr);
	}

	/// A key, or ERR if none came in time or a signal arrived.
	[[nodiscard]] static int key(std::chrono::milliseconds most)
	{
		wtimeout(stdscr, static_cast<int>(most.count()));
		return wgetch(stdscr);
	}

private:
	Terminal(SCREEN *screen, bool colour) : screen_(screen)
	{
		cbreak();
		noecho();
		nonl();
		curs_set(0);
		keypad(stdscr, true);
		colour_ = colour && has_colors() && start_color() == OK;
		if (colour_) {
			use_default_colors();
			init_pair(good_pair, COLOR_GREEN, -1);
			init_pair(bad_pair, COLOR_RED, -1);
		}
	}

	[[nodiscard]] attr_t attributes_of(Look look) const
	{
		switch (look) {
		case Look::plain:
			break;
		case Look::title:
			return A_BOLD;
		case Look::good:
			return colour_ ? static_cast<attr_t>(COLOR_PAIR(good_pair)) : A_NORMAL;
		case Look::bad:
			return colour_ ? static_cast<attr_t>(COLOR_PAIR(bad_pair)) : A_REVERSE;
		}
		return A_NORMAL;
	}

	static constexpr short good_pair = 1;
	static constexpr short bad_pair = 2;
	SCREEN *screen_;
	bool colour_ = false;
};

/// What is shown, and what the user is typing.
struct Dialogue {
	TopView view;
	std::optional<std::string> typed; ///< the new delay, so far
};

void set_delay(TopView &view, const std::string &typed)
{
	double delay = 0;
	const auto *end = typed.data() + typed.size();
	const auto [stop, error] = std::from_chars(typed.data(), end, delay);
	if (error == std::errc{} && stop == end && delay >= least_top_delay && delay <= most_top_delay)
		view.delay = delay;
	else if (!typed.empty())
		view.message = fmt::format("\"{}\" is not a number of seconds from {:g} to {:g}", typed,
		                           least_top_delay, most_top_delay);
}

/// Handles a key while the delay is typed.
void type(int key, std::string &typed, Dialogue &dialogue)
{
	constexpr int escape = 27;
	constexpr int del = 127;
	constexpr size_t longest = 20;
	switch (key) {
	case '\r':
	case '\n':
	case KEY_ENTER:
		set_delay(dialogue.view, typed);
		dialogue.typed.reset();
		return;
	case escape:
		dialogue.typed.reset();
		return;
	case KEY_BACKSPACE:
	case '\b':
	case del:
		if (!typed.empty())
			typed.pop_back();
		break;
	default:
		if (key >= ' ' && key < del && typed.size() < longest)
			typed.push_back(static_cast<char>(key));
	}
}

void reorder(TopView &view, int step)
{
	const int order = static_cast<int>(view.order) + top_orders + step;
	view.order = static_cast<TopOrder>(order % top_orders);
}

void scroll(TopView &view, const TopSample &now, ptrdiff_t by)
{
	const auto shown = rows_shown(now, view);
	const auto last = static_cast<ptrdiff_t>(now.rows.size() - shown);
	view.first = static_cast<size_t>(
	    std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(view.first) + by, 0, last));
}

enum class Next : uint8_t { draw, update, end };

/// Handles a key. Returns what to do next.
Next handle_key(int key, Dialogue &dialogue, const TopSample &now)
{
	auto &view = dialogue.view;
	const auto page = static_cast<ptrdiff_t>(rows_shown(now, view));
	if (key == KEY_RESIZE)
		return Next::draw;
	view.message.clear();
	if (dialogue.typed) {
		type(key, *dialogue.typed, dialogue);
		return Next::draw;
	}
	switch (key) {
	case 'q':
		return Next::end;
	case ' ':
	case '\r':
	case '\n':
	case KEY_ENTER:
		return Next::update;
	case 's':
	case 'd':
		dialogue.typed.emplace();
		break;
	case 'h':
	case '?':
		view.help = !view.help;
		break;
	case '<':
	case '>':
		reorder(view, key == '<' ? -1 : 1);
		break;
	case 'R':
		view.reversed = !view.reversed;
		break;
	case KEY_UP:
		scroll(view, now, -1);
		break;
	case KEY_DOWN:
		scroll(view, now, 1);
		break;
	case KEY_PPAGE:
		scroll(view, now, -page);
		break;
	case KEY_NPAGE:
		scroll(view, now, page);
		break;
	case KEY_HOME:
		view.first = 0;
		break;
	default:
		view.message = "unknown key; h lists the keys";
	}
	return Next::draw;
}

Clock::duration seconds(double number)
{
	return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(number));
}

/// Waits for a key until the next update is due, and handles it.
Next wait_for_key(Dialogue &dialogue, const TopSample &now, Clock::time_point due)
{
	// ncurses keeps waiting after a signal, so it must not wait long.
	constexpr std::chrono::milliseconds longest{200};
	const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
	if (left.count() <= 0)
		return Next::update;
	const int key = Terminal::key(std::min(left, longest));
	if (key != ERR)
		return handle_key(key, dialogue, now);
	// A terminal that hung up returns no key, without a delay; SIGHUP may have been ignored.
	return isatty(STDIN_FILENO) == 1 ? Next::draw : Next::end;
}

Result<ExitCode> show(Watch &watch, const TopOptions &options)
{
	const auto terminal = Terminal::open();
	if (!terminal)
		return std::unexpected(terminal.error());
	Dialogue dialogue;
	auto &view = dialogue.view;
	view.delay = options.delay;
	uint64_t updates = 1;
	auto last = Clock::now();
	while (interrupted() == 0) {
		view.width = Terminal::width();
		view.height = Terminal::height();
		scroll(view, watch.now(), 0);
		if (dialogue.typed)
			view.message =
			    fmt::format("Seconds between updates (now {:g}): {}", view.delay, *dialogue.typed);
		(*terminal)->draw(watch.lines(view));
		const auto next = wait_for_key(dialogue, watch.now(), last + seconds(view.delay));
		if (next == Next::end || (next == Next::update && updates == options.count))
			return ExitCode::done;
		if (next == Next::update) {
			watch.update();
			last = Clock::now();
			updates++;
		}
	}
	return fail(ExitCode::interrupted, "");
}

Json to_json(const Watch &watch)
{
	const auto &now = watch.now();
	Json sources = Json::array();
	for (const auto &row : now.rows) {
		const auto did = watch.activity_of(row);
		const auto known = [](bool is, double number) { return is ? Json(number) : Json(nullptr); };
		sources.push_back(
		    json_object({{"name", row.name},
		                 {"kind", row.kind},
		                 {"used_by", row.used_by},
		                 {"health", row.health == "-" ? Json(nullptr) : Json(row.health)},
		                 {"bytes_read_per_second", known(did.known, did.bytes_read)},
		                 {"bytes_fed_per_second", known(did.known, did.bytes_fed)},
		                 {"bytes_drawn_per_second", known(did.known, did.bytes_drawn)},
		                 {"latency_seconds", known(row.status.latency.reads > 0, did.latency)},
		                 {"fips_failures", row.status.fips_failures},
		                 {"read_errors", row.status.read_errors}}));
	}
	return json_object(
	    {{"time", now.time},
	     {"crng_ready", now.inventory.crng_ready},
	     {"rng_current", now.inventory.hwrng ? Json(now.inventory.hwrng->current) : Json(nullptr)},
	     {"daemon", now.daemon.has_value()},
	     {"sources", sources}});
}

/// Prints one document or screen after the other.
Result<ExitCode> print(Watch &watch, const TopOptions &options, bool json)
{
	for (uint64_t updates = 1;; updates++) {
		// Rates need two samples, so wait first.
		const auto until = Clock::now() + seconds(options.delay);
		while (Clock::now() < until && interrupted() == 0) {
			const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
			::poll(nullptr, 0, static_cast<int>(left.count())); // a signal ends it
		}
		if (interrupted() != 0)
			return fail(ExitCode::interrupted, "");
		watch.update();
		if (json) {
			fmt::print("{}\n", to_json(watch).dump(-1, ' ', false, Json::error_handler_t::replace));
		} else {
			constexpr size_t other_lines = 30; // of the header and of changes
			const TopView view{.width = 160,
			                   .height = watch.now().rows.size() + other_lines,
			                   .delay = options.delay,
			                   .message = " "};
			auto lines = watch.lines(view);
			while (!lines.empty() && lines.back().text.find_first_not_of(' ') == std::string::npos)
				lines.pop_back();
			for (const auto &line : lines)
				fmt::print("{}\n", line.text);
			fmt::print("\n");
		}
		if (std::fflush(stdout) != 0 || updates == options.count)
			return ExitCode::done; // main reports lost output
	}
}

} // namespace

Result<ExitCode> top_command(const Context &context, const TopOptions &options)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	const bool batch = options.batch || context.json;
	if (!batch && (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0))
		return fail(ExitCode::usage,
		            "top: standard input or output is not a terminal; for a file or a pipe, use "
		            "`hwrngctl top --batch`");
	Watch watch(context, *config);
	return batch ? print(watch, options, context.json) : show(watch, options);
}

} // namespace hwrngd
