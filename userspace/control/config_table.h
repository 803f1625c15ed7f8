// SPDX-License-Identifier: GPL-2.0-or-later
// Reads one table of a TOML file, key by key.
#pragma once

#include "base/error.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

namespace hwrngd {

[[nodiscard]] inline std::unexpected<Error> fail_at(const std::filesystem::path &path,
                                                    const toml::source_region &where,
                                                    const std::string &what)
{
	return fail(ExitCode::usage, fmt::format("{}, line {}: {}", path.string(),
	                                         static_cast<unsigned>(where.begin.line), what));
}

/// The Levenshtein distance: how many letters must be inserted, removed or replaced to turn `a`
/// into `b`.
[[nodiscard]] inline size_t distance(std::string_view a, std::string_view b)
{
	std::vector<size_t> row(b.size() + 1);
	std::iota(row.begin(), row.end(), size_t{0});
	for (size_t i = 0; i < a.size(); i++) {
		size_t diagonal = std::exchange(row[0], i + 1);
		for (size_t j = 0; j < b.size(); j++) {
			const size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
			diagonal = row[j + 1];
			row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, exchanged});
		}
	}
	return row.back();
}

/// One table of a file. Call a function for each known key; it sets the value if the key is there.
/// done() returns the first error, or an error for a key that no call named.
class Table {
public:
	Table(const std::filesystem::path &path, const toml::table &table) : path_(path), table_(table)
	{
	}

	/// Returns the value of a key, or nullptr if the key is missing. From now on the key is known.
	const toml::node *find(const char *key)
	{
		if (std::find(known_.begin(), known_.end(), key) == known_.end())
			known_.emplace_back(key);
		return table_.get(key);
	}

	void refuse(const toml::node &node, const std::string &what)
	{
		if (!error_)
			error_ = fail_at(path_, node.source(), what).error();
	}

	void text(const char *key, std::string &value)
	{
		if (const auto *node = find(key)) {
			if (const auto got = node->value_exact<std::string>())
				value = *got;
			else
				refuse(*node, fmt::format("{}: give a text in quotation marks", key));
		}
	}

	/// A whole number from `least` to `most`. Error messages name the `unit`.
	template <typename Number>
	void whole(const char *key, Number &value, unsigned least, unsigned most, const char *unit)
	{
		if (const auto *node = find(key)) {
			const auto got = node->value_exact<int64_t>();
			if (got && *got >= least && *got <= most)
				value = static_cast<unsigned>(*got);
			else
				refuse(*node, fmt::format("{}: give a whole number of {}, {} to {}", key, unit,
				                          least, most));
		}
	}

	/// Seconds from `least` to `most`, also fractions; or 0, if `never` is true.
	void seconds(const char *key, std::chrono::milliseconds &value, double least, double most,
	             bool never = false)
	{
		if (const auto *node = find(key)) {
			auto got = node->value_exact<double>();
			if (const auto whole = node->value_exact<int64_t>())
				got = static_cast<double>(*whole);
			if (got && ((*got >= least && *got <= most) || (never && *got == 0)))
				value = std::chrono::milliseconds(std::llround(*got * 1000));
			else
				refuse(*node, fmt::format("{}: give seconds, {} to {}{}", key, least, most,
				                          never ? ", or 0 for never" : ""));
		}
	}

	void truth(const char *key, bool &value)
	{
		if (const auto *node = find(key)) {
			if (const auto got = node->value_exact<bool>())
				value = *got;
			else
				refuse(*node, fmt::format("{}: give true or false", key));
		}
	}

	/// One of several words.
	template <typename Enum>
	void choice(const char *key, Enum &value,
	            std::initializer_list<std::pair<const char *, Enum>> choices)
	{
		if (const auto *node = find(key)) {
			const auto got = node->value_exact<std::string>();
			std::string words;
			for (const auto &[word, meaning] : choices) {
				if (got == word) {
					value = meaning;
					return;
				}
				words += fmt::format("{}\"{}\"", words.empty() ? "" : ", ", word);
			}
			refuse(*node, fmt::format("{}: give one of {}", key, words));
		}
	}

	/// A list of texts. For each, `wrong` returns what is wrong with it, or "".
	void texts(const char *key, std::vector<std::string> &value,
	           const std::function<std::string(const std::string &)> &wrong)
	{
		const auto *node = find(key);
		if (node == nullptr)
			return;
		const auto *list = node->as_array();
		if (list == nullptr) {
			refuse(*node, fmt::format("{}: give a list of texts: [\"...\", ...]", key));
			return;
		}
		std::vector<std::string> got;
		for (const auto &item : *list) {
			const auto text = item.value_exact<std::string>();
			if (!text) {
				refuse(item, fmt::format("{}: give texts in quotation marks", key));
				return;
			}
			if (const auto why = wrong(*text); !why.empty()) {
				refuse(item, fmt::format("{}: \"{}\" {}", key, *text, why));
				return;
			}
			got.push_back(*text);
		}
		value = std::move(got);
	}

	/// The table [key].
	void table(const char *key, const std::function<void(Table &)> &read)
	{
		const auto *node = find(key);
		if (node == nullptr)
			return;
		const auto *table = node->as_table();
		if (table == nullptr) {
			refuse(*node, fmt::format("{0} is not a table: write its keys below [{0}]", key));
			return;
		}
		read_below(*table, read);
	}

	/// The tables [key."NAME"], with their names.
	void tables(const char *key, const std::function<void(const std::string &, Table &)> &read)
	{
		const auto *node = find(key);
		if (node == nullptr)
			return;
		const auto *all = node->as_table();
		if (all == nullptr) {
			refuse(*node, fmt::format("{0} is not a table: write [{0}.\"NAME\"]", key));
			return;
		}
		for (const auto &[name, below] : *all) {
			const auto *table = below.as_table();
			if (table == nullptr) {
				refuse(below,
				       fmt::format("{0}.{1} is not a table: write its keys below [{0}.\"{1}\"]",
				                   key, name.str()));
				return;
			}
			read_below(*table, [&](Table &reader) { read(std::string(name.str()), reader); });
		}
	}

	/// Returns the first error, or an error for an unknown key.
	[[nodiscard]] Result<void> done() const
	{
		if (error_)
			return std::unexpected(*error_);
		for (const auto &[key, value] : table_) {
			const std::string_view name = key.str();
			if (std::find(known_.begin(), known_.end(), name) != known_.end())
				continue;
			const auto nearest =
			    *std::min_element(known_.begin(), known_.end(), [&](const auto &a, const auto &b) {
				    return distance(name, a) < distance(name, b);
			    });
			return fail_at(path_, key.source(),
			               fmt::format(R"(unknown key "{}"; did you mean "{}"? Known keys: {})",
			                           name, nearest, fmt::join(known_, ", ")));
		}
		return {};
	}

private:
	void read_below(const toml::table &table, const std::function<void(Table &)> &read)
	{
		Table reader(path_, table);
		read(reader);
		if (const auto done = reader.done(); !done && !error_)
			error_ = done.error();
	}

	const std::filesystem::path &path_;
	const toml::table &table_;
	std::vector<std::string> known_;
	std::optional<Error> error_;
};

} // namespace hwrngd
