// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/trust_cpu.h"

#include "kernel/kernel_option.h"

#include <algorithm>

namespace hwrngd {

namespace {

bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/// One parameter of a command line.
struct Parameter {
	std::string_view name;
	std::optional<std::string_view> value;
};

/// Takes the first parameter from the command line, as next_arg() in lib/cmdline.c does: quotes may
/// enclose the value, or the whole parameter.
Parameter next_parameter(std::string_view &line)
{
	const bool quoted = line.starts_with('"');
	line.remove_prefix(quoted ? 1 : 0);
	bool in_quotes = quoted;
	size_t end = 0;
	for (; end < line.size() && (in_quotes || !is_space(line[end])); end++)
		in_quotes = in_quotes != (line[end] == '"');
	auto text = line.substr(0, end);
	line.remove_prefix(end);
	const auto equals = text.find('=');
	// Like the kernel, does not take a sign at the very beginning for the end of a name.
	const bool has_value = equals != std::string_view::npos && equals > 0;
	const bool value_is_quoted = has_value && text.substr(equals + 1).starts_with('"');
	if ((quoted || value_is_quoted) && text.ends_with('"'))
		text.remove_suffix(1);
	if (!has_value)
		return {.name = text, .value = std::nullopt};
	return {.name = text.substr(0, equals),
	        .value = text.substr(std::min(equals + (value_is_quoted ? 2 : 1), text.size()))};
}

/// kstrtobool() in lib/kstrtox.c, of the newest kernel: older ones do not know t and f.
std::optional<bool> truth_of(std::string_view text)
{
	const auto character = [&](size_t at) { return at < text.size() ? text[at] | 0x20 : 0; };
	switch (character(0)) {
	case 'y':
	case 't':
		return true;
	case 'n':
	case 'f':
		return false;
	case 'o':
		if (character(1) == 'n')
			return true;
		return character(1) == 'f' ? std::optional(false) : std::nullopt;
	default:
		if (text.starts_with('1'))
			return true;
		return text.starts_with('0') ? std::optional(false) : std::nullopt;
	}
}

} // namespace

std::optional<bool> trust_cpu_parameter(std::string_view command_line)
{
	std::optional<bool> trust;
	for (;;) {
		while (!command_line.empty() && is_space(command_line.front()))
			command_line.remove_prefix(1);
		if (command_line.empty())
			return trust;
		const auto parameter = next_parameter(command_line);
		if (!parameter.value) {
			if (parameter.name == "--") // what follows is for init
				return trust;
			continue;
		}
		std::string name(parameter.name);
		std::ranges::replace(name, '-', '_');
		if (name != "random.trust_cpu")
			continue;
		// An invalid value changes nothing.
		if (const auto value = truth_of(*parameter.value))
			trust = value;
	}
}

std::string cpu_distrust(const Root &root, const std::string &release)
{
	if (const auto trust = trust_cpu_parameter(root.read_if_any("/proc/cmdline").value_or("")))
		return *trust ? "" : "the kernel was booted with random.trust_cpu=off";
	// Linux 6.2 and later do not have this option: they trust the CPU by default.
	const auto option = kernel_option(root, release, "CONFIG_RANDOM_TRUST_CPU");
	return option && option->value == "n" ? "the kernel was built without CONFIG_RANDOM_TRUST_CPU"
	                                      : "";
}

} // namespace hwrngd
