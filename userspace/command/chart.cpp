// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/chart.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace hwrngd::chart {

namespace {

// In units of the drawing, which is scaled to the available width.
constexpr double width = 360;
constexpr double height = 190;
constexpr double left = 46;
constexpr double right = 352;
constexpr double top = 8;
constexpr double bottom = 164;

class Axes {
public:
	explicit Axes(const Chart &chart) : chart_(chart) {}

	[[nodiscard]] double step() const
	{
		return (right - left) / static_cast<double>(std::max<size_t>(1, chart_.bars.size()));
	}
	[[nodiscard]] double x(double bar) const { return left + bar * step(); }
	[[nodiscard]] double y(double value) const
	{
		const double share = (value - chart_.low) / (chart_.high - chart_.low);
		return bottom - std::clamp(share, 0.0, 1.0) * (bottom - top);
	}

private:
	const Chart &chart_;
};

} // namespace

std::string escape(std::string_view text)
{
	std::string result;
	for (const char c : text) {
		switch (c) {
		case '&':
			result += "&amp;";
			break;
		case '<':
			result += "&lt;";
			break;
		case '>':
			result += "&gt;";
			break;
		case '"':
			result += "&quot;";
			break;
		case '\'':
			result += "&#39;";
			break;
		default:
			// HTML does not allow control characters.
			result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
		}
	}
	return result;
}

std::string to_svg(const Chart &chart)
{
	const Axes axes(chart);
	std::string svg =
	    fmt::format(R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">)", width,
	                height, escape(chart.description));
	auto out = std::back_inserter(svg);
	for (const auto &tick : chart.up)
		fmt::format_to(out,
		               R"(<path class="grid" d="M{0} {1:.2f}H{2}"/><text x="{3}" y="{4:.2f}" )"
		               R"(text-anchor="end">{5}</text>)",
		               left, axes.y(tick.at), right, left - 5, axes.y(tick.at) + 3.5,
		               escape(tick.label));

	const double zero = axes.y(std::max(0.0, chart.low));
	const double gap = axes.step() > 4 ? axes.step() * 0.15 : 0;
	for (size_t i = 0; i < chart.bars.size(); i++) {
		// A bar above 0 is always visible, however small it is.
		double end = axes.y(chart.bars[i].value);
		if (chart.bars[i].value > 0)
			end = std::min(end, zero - 1);
		fmt::format_to(out,
		               R"(<rect class="bar" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}">)"
		               R"(<title>{}</title></rect>)",
		               axes.x(static_cast<double>(i)) + gap, std::min(zero, end),
		               axes.step() - 2 * gap, std::abs(end - zero), escape(chart.bars[i].label));
	}
	for (size_t i = 0; i < chart.expected.size(); i++)
		fmt::format_to(out, R"(<path class="mark" d="M{:.2f} {:.2f}h{:.2f}"/>)",
		               axes.x(static_cast<double>(i)), axes.y(chart.expected[i]), axes.step());
	for (const double level : chart.levels)
		fmt::format_to(out, R"(<path class="level" d="M{} {:.2f}H{}"/>)", left, axes.y(level),
		               right);

	fmt::format_to(out, R"(<path class="axis" d="M{} {:.2f}H{}"/>)", left, zero, right);
	for (const auto &tick : chart.across)
		fmt::format_to(out, R"(<text x="{:.2f}" y="{}" text-anchor="middle">{}</text>)",
		               axes.x(tick.at + 0.5), bottom + 15, escape(tick.label));
	svg += "</svg>";
	return svg;
}

std::string bit_plane(std::span<const uint8_t> samples, unsigned bit)
{
	constexpr size_t across = 64;
	const size_t rows = (samples.size() + across - 1) / across;
	std::string svg = fmt::format(
	    R"(<svg class="plane" viewBox="0 0 {} {}" role="img" aria-label="bit {} of the )"
	    R"(first {} samples"><path d=")",
	    across, rows, bit, samples.size());
	auto out = std::back_inserter(svg);
	const auto one = [&](size_t i) { return i < samples.size() && (samples[i] >> bit & 1U) != 0; };
	for (size_t row = 0; row < rows; row++)
		for (size_t x = 0; x < across; x++) {
			if (!one(row * across + x))
				continue;
			const size_t begin = x;
			while (x < across && one(row * across + x))
				x++;
			// A run of ones is a line through the middle of its row.
			fmt::format_to(out, "M{} {}.5h{}", begin, row, x - begin);
		}
	svg += R"("/></svg>)";
	return svg;
}

} // namespace hwrngd::chart
