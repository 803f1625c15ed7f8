// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/output.h"

#include "base/json_object.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

/// The number of UTF-8 characters: bytes that begin one.
size_t width(const std::string &text)
{
	return static_cast<size_t>(
	    std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

} // namespace

void print_json(const nlohmann::ordered_json &document)
{
	// Names of devices and files may be invalid UTF-8; a replacement is better than no document.
	fmt::print("{}\n",
	           document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::string for_terminal(std::string text)
{
	for (size_t i = 0; i < text.size(); i++) {
		const auto c = static_cast<unsigned char>(text[i]);
		const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
		if (c < ' ' || c == 0x7f)
			text[i] = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			text.replace(i, 2, "?");
	}
	return text;
}

void print_table(std::vector<std::vector<std::string>> rows)
{
	std::vector<size_t> widths;
	for (auto &row : rows) {
		widths.resize(std::max(widths.size(), row.size()));
		for (size_t i = 0; i < row.size(); i++) {
			row[i] = for_terminal(std::move(row[i]));
			std::ranges::replace(row[i], '|', '?');
			widths[i] = std::max(widths[i], width(row[i]));
		}
	}
	for (size_t i = 0; i < rows.size(); i++) {
		for (size_t j = 0; j < rows[i].size(); j++)
			fmt::print("| {}{:{}} ", rows[i][j], "", widths[j] - width(rows[i][j]));
		fmt::print("|\n");
		for (size_t j = 0; i == 0 && j < widths.size(); j++)
			fmt::print("|{:-<{}}{}", "", widths[j] + 2, j + 1 == widths.size() ? "|\n" : "");
	}
}

std::string counted(size_t number, const std::string &what)
{
	return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

ExitCode report(const Error &error, bool json)
{
	if (error.code == ExitCode::interrupted)
		return error.code;
	if (json)
		print_json(
		    json_object({{"error", json_object({{"message", error.message},
		                                        {"exit_code", static_cast<int>(error.code)}})}}));
	fmt::print(stderr, "hwrngctl: {}\n", error.message);
	return error.code;
}

ExitCode flush_output(ExitCode code)
{
	if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
		return code;
	fmt::print(stderr, "hwrngctl: standard output: {}\n", std::generic_category().message(errno));
	return code == ExitCode::done ? ExitCode::io_error : code;
}

} // namespace hwrngd
