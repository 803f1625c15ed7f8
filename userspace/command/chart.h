// SPDX-License-Identifier: GPL-2.0-or-later
// Charts as inline SVG. They use the colours of the page and adapt to the width of the screen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd::chart {

/// Escapes text for HTML, for an element or a quoted attribute.
[[nodiscard]] std::string escape(std::string_view text);

struct Bar {
	double value = 0;
	std::string label; ///< tooltip
};

struct Tick {
	double at = 0; ///< a value, or the index of a bar
	std::string label;
};

struct Chart {
	std::string description; ///< for screen readers
	std::vector<Bar> bars;
	double low = 0; ///< values of the lower and upper edge
	double high = 1;
	std::vector<Tick> across; ///< by index of the bar
	std::vector<Tick> up;
	std::vector<double> levels;   ///< dashed lines through all bars
	std::vector<double> expected; ///< a mark for each bar, or empty
};

/// Draws bars that start at zero, or at the lower edge if that is above zero.
[[nodiscard]] std::string to_svg(const Chart &chart);

/// Draws bit number `bit` of each sample, 64 in a row; ones are filled.
[[nodiscard]] std::string bit_plane(std::span<const uint8_t> samples, unsigned bit);

} // namespace hwrngd::chart
