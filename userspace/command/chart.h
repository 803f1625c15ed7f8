// SPDX-License-Identifier: GPL-2.0-or-later
// Charts as inline SVG, in the colours of the page around them, for wide and for narrow screens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd::chart {

/// Text as it may stand in HTML, in an element or in a quoted attribute.
[[nodiscard]] std::string escape(std::string_view text);

struct Bar {
	double value = 0;
	std::string label; ///< shown where the mouse rests
};

struct Tick {
	double at = 0; ///< a value, or the number of a bar
	std::string label;
};

struct Chart {
	std::string description; ///< for who cannot see it
	std::vector<Bar> bars;
	double low = 0; ///< values at the lower and upper edge
	double high = 1;
	std::vector<Tick> across; ///< by number of the bar
	std::vector<Tick> up;
	std::vector<double> levels;   ///< dashed lines through all bars
	std::vector<double> expected; ///< a mark on each bar, or none at all
};

/// Bars from zero, or from the lower edge when that is above zero.
[[nodiscard]] std::string to_svg(const Chart &chart);

/// The bits `bit` of samples, 64 in a row; ones are filled.
[[nodiscard]] std::string bit_plane(std::span<const uint8_t> samples, unsigned bit);

} // namespace hwrngd::chart
