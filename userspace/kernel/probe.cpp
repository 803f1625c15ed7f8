// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/probe.h"

#include "base/secret_buffer.h"
#include "base/write_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace hwrngd {

namespace {

constexpr const char *dev_hwrng = "/dev/hwrng";
// RNG_BUFFER_SIZE of the framework is 64 on machines with cache lines of that size or less.
constexpr size_t stale_bytes = 64;
// The framework fills 64 bytes a round; so small a read shows that a slow device lives.
constexpr size_t read_piece = 128;
// Another probe may have to read a slow TPM.
constexpr std::chrono::seconds lock_limit{60};
// Who is being probed and what was before, a line each: for whoever comes after a probing process
// that was killed. /run is empty after a reboot, as is the choice.
constexpr const char *record = "/run/hwrngd/probe";

Result<void> write_record(const Root &root, const std::string &probed, const HwrngState &before)
{
	const auto path = root.at(record);
	std::error_code error;
	std::filesystem::create_directories(path.parent_path(), error);
	if (error)
		return fail_errno(error.value(), path.parent_path().string());
	return write_file(path, fmt::format("{}\n{}\n{}\n{}\n", probed, before.current,
	                                    before.selected ? 1 : 0, before.quality.value_or(0)));
}

Result<void> remove_record(const Root &root)
{
	return remove_file(root.at(record));
}

struct Record {
	std::string probed;
	HwrngState before;
};

Record parse_record(const std::string &text)
{
	Record found;
	std::istringstream lines(text);
	std::string selected;
	std::string quality;
	std::getline(lines, found.probed);
	std::getline(lines, found.before.current);
	std::getline(lines, selected);
	std::getline(lines, quality);
	found.before.selected = selected == "1";
	if (const auto number = std::strtoul(quality.c_str(), nullptr, 10); number > 0)
		found.before.quality = static_cast<unsigned>(std::min(number, 1024UL));
	return found;
}

Result<std::unique_ptr<Source>> open_hwrng(const Root &root)
{
	auto fd = root.open(dev_hwrng, O_RDONLY);
	if (!fd)
		return fail_source(fd.error());
	return read_device(root.at(dev_hwrng).string(), std::move(*fd), read_piece);
}

Result<void> put_back(const HwrngSysfs &sysfs, HwrngState before, const HwrngState &now)
{
	if (!now.offers(before.current) && !before.current.empty())
		before.selected = false; // it is gone: the kernel shall choose
	return sysfs.restore(before);
}

} // namespace

Result<void> Probe::recover(const Root &root)
{
	if (!root.exists(record))
		return {};
	const auto text = root.read(record);
	if (!text)
		return std::unexpected(text.error());
	const auto [probed, before] = parse_record(*text);
	const HwrngSysfs sysfs(root);
	const auto now = sysfs.read();
	if (!now)
		return std::unexpected(now.error());
	// Somebody may have made another choice since.
	if (now->current == probed)
		if (auto restored = put_back(sysfs, before, *now); !restored)
			return restored;
	return remove_record(root);
}

std::optional<std::string> Probe::in_place_of(const Root &root, const std::string &current)
{
	const auto text = root.exists(record) ? root.read(record) : fail(ExitCode::io_error, "");
	if (!text)
		return std::nullopt;
	const auto [probed, before] = parse_record(*text);
	return probed == current ? std::optional(before.current) : std::nullopt;
}

Result<Probe> Probe::begin(const Root &root, const std::string &name)
{
	Probe probe(root, name);
	if (auto state = probe.sysfs_.read(); !state) // a clear error where there is no framework
		return std::unexpected(state.error());
	// Opened before anything is changed: without the right to read, nothing has to be put back.
	auto source = open_hwrng(root);
	if (!source) {
		if (source.error().code == ExitCode::not_permitted)
			source.error().message += "; reading it needs root";
		return std::unexpected(source.error());
	}
	probe.source_ = std::move(*source);
	auto lock = probe.sysfs_.lock(lock_limit);
	if (!lock)
		return std::unexpected(lock.error());
	probe.lock_ = std::move(*lock);
	if (auto recovered = recover(root); !recovered)
		return std::unexpected(recovered.error());
	const auto state = probe.sysfs_.read();
	if (!state)
		return std::unexpected(state.error());
	if (state->current != name) {
		// Before anything is changed, so that there is no moment in which nobody knows.
		if (auto written = write_record(root, name, *state); !written)
			return std::unexpected(written.error());
		probe.before_ = std::make_unique<HwrngState>(*state);
		if (auto selected = probe.sysfs_.select(name); !selected)
			return std::unexpected(selected.error());
	}
	SecretBuffer stale(stale_bytes);
	const auto discarded = fill(*probe.source_, stale.span());
	if (!discarded)
		return std::unexpected(discarded.error());
	return probe;
}

Probe::~Probe()
{
	const auto ended = end();
	if (ended)
		return;
	for (const char *text :
	     {static_cast<const char *>(program_invocation_short_name),
	      ": rng_current was not put back: ", ended.error().message.c_str(), "\n"})
		std::fputs(text, stderr);
}

Result<void> Probe::end()
{
	if (!before_)
		return {};
	const auto before = std::move(before_);
	const auto now = sysfs_.read();
	if (!now)
		return std::unexpected(now.error());
	// When the probed RNG vanishes the kernel chooses another, which is nobody's choice.
	if (now->selected && now->current != name_)
		return remove_record(root_);
	auto restored = put_back(sysfs_, *before, *now);
	if (!restored)
		return restored;
	if (auto removed = remove_record(root_); !removed)
		return removed;
	if (before->current.empty())
		return {};
	// A fresh descriptor: a stalled read may still hold the old one. That the RNG put back gives
	// nothing now is its own trouble, and was so before.
	if (auto source = open_hwrng(root_)) {
		SecretBuffer stale(stale_bytes);
		[[maybe_unused]] const auto discarded =
		    (*source)->read(stale.span(), std::chrono::seconds(2));
	}
	return {};
}

} // namespace hwrngd
