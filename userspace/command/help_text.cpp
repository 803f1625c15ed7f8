// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/help_text.h"

#include <sstream>
#include <string>
#include <vector>

namespace hwrngd {

namespace {

class HelpText : public CLI::Formatter {
public:
	std::string make_option(const CLI::Option *option, bool positional) const override
	{
		auto left = "  " + make_option_name(option, positional);
		const auto type = option->get_type_name();
		if (const auto choices = type.find('{'); choices != std::string::npos)
			left += " " + type.substr(choices); // of CLI::IsMember
		else if (!positional && !type.empty())
			left += " " + type;
		auto text = option->get_description();
		for (const auto *other : option->get_excludes())
			text += "; not with " + other->get_name();
		const bool is_flag = option->get_type_size() == 0;
		if (!is_flag && !option->get_default_str().empty())
			text += "; default: " + option->get_default_str();
		return row(left, text);
	}
	std::string make_subcommand(const CLI::App *command) const override
	{
		return row("  " + command->get_name(), command->get_description());
	}
	std::string make_description(const CLI::App *app) const override
	{
		return wrapped(app->get_description(), 0) + "\n";
	}

private:
	static constexpr size_t width = 80;
	static constexpr size_t column = 28; // where descriptions begin

	/// At least two spaces separate the columns; a longer left column gets its own line.
	static std::string row(const std::string &left, const std::string &text)
	{
		const bool fits = left.size() + 2 <= column;
		return (fits ? left + std::string(column - left.size(), ' ')
		             : left + "\n" + std::string(column, ' ')) +
		       wrapped(text, column) + "\n";
	}

	/// Breaks the text into lines that begin at `indent`. A word that begins with a dash stays on
	/// the line of the word before it, because at the start of a line it would look like an option.
	static std::string wrapped(const std::string &text, size_t indent)
	{
		std::vector<std::string> words;
		std::istringstream in(text);
		for (std::string word; in >> word;)
			if (!words.empty() && word.starts_with('-'))
				words.back() += " " + word;
			else
				words.push_back(word);
		std::string lines;
		size_t used = indent;
		for (const auto &word : words) {
			if (used > indent && used + 1 + word.size() > width) {
				lines += "\n" + std::string(indent, ' ');
				used = indent;
			} else if (used > indent) {
				lines += ' ';
				used++;
			}
			lines += word;
			used += word.size();
		}
		return lines;
	}
};

} // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter()
{
	return std::make_shared<HelpText>();
}

} // namespace hwrngd
