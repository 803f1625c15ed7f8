// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/probe.h"

#include "base/secret_buffer.h"
#include "base/write_file.h"
#include "kernel/hwrng_sysfs.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

namespace hwrngd::hwrng_probe {

namespace {

constexpr const char *dev_hwrng = "/dev/hwrng";
// RNG_BUFFER_SIZE of the framework is 64 on machines with cache lines of that size or less.
constexpr size_t stale_bytes = 64;
// The framework reads 64 bytes at a time. Two of these are little enough that a slow device shows
// progress.
constexpr size_t read_piece = 128;
// The probed hwrng and the choice that was found, one item per line. If the probing process is
// killed, the next one uses this to put the choice back. A reboot clears both /run and the choice.
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
		before.selected = false; // it is gone, so the kernel must choose
	return sysfs.restore(before);
}

/// /dev/hwrng while a certain RNG is current.
class ProbedHwrng : public Source {
public:
	ProbedHwrng(const Root &root, std::string name)
	    : root_(root), sysfs_(root), name_(std::move(name))
	{
	}
	ProbedHwrng(const ProbedHwrng &) = delete;
	ProbedHwrng &operator=(const ProbedHwrng &) = delete;
	~ProbedHwrng() override;

	/// Must be called once, first.
	[[nodiscard]] Result<void> begin();

	[[nodiscard]] Result<size_t> read(std::span<uint8_t> out,
	                                  std::chrono::milliseconds limit) override
	{
		return device_->read(out, limit);
	}
	[[nodiscard]] Result<void> close() override { return restore_choice(); }

private:
	[[nodiscard]] Result<void> make_current();
	[[nodiscard]] Result<void> restore_choice();

	Root root_;
	HwrngSysfs sysfs_;
	std::string name_;
	FileDescriptor lock_;                  ///< held until this object is destroyed
	std::optional<HwrngState> to_restore_; ///< the choice to put back, if it was changed
	std::unique_ptr<Source> device_;
};

Result<void> ProbedHwrng::begin()
{
	if (auto state = sysfs_.read(); !state) // a clear error if there is no framework
		return std::unexpected(state.error());
	// Open the device before changing anything: if that is not permitted, nothing must be put back.
	auto device = open_hwrng(root_);
	if (!device) {
		if (device.error().code == ExitCode::not_permitted)
			device.error().message += "; reading it needs root";
		return std::unexpected(device.error());
	}
	device_ = std::move(*device);
	auto lock = sysfs_.lock(hwrng_lock_limit);
	if (!lock)
		return std::unexpected(lock.error());
	lock_ = std::move(*lock);
	if (auto recovered = recover(root_); !recovered)
		return recovered;
	if (auto made = make_current(); !made)
		return made;
	SecretBuffer stale(stale_bytes);
	if (const auto discarded = fill(*device_, stale.span()); !discarded)
		return std::unexpected(discarded.error());
	return {};
}

Result<void> ProbedHwrng::make_current()
{
	const auto state = sysfs_.read();
	if (!state)
		return std::unexpected(state.error());
	if (state->current == name_)
		return {};
	// Write the record before the change, so that the change is never without a record.
	if (auto written = write_record(root_, name_, *state); !written)
		return written;
	to_restore_ = *state;
	return sysfs_.select(name_);
}

ProbedHwrng::~ProbedHwrng()
{
	const auto restored = restore_choice();
	if (restored)
		return;
	for (const char *text :
	     {static_cast<const char *>(program_invocation_short_name),
	      ": rng_current was not put back: ", restored.error().message.c_str(), "\n"})
		std::fputs(text, stderr);
}

Result<void> ProbedHwrng::restore_choice()
{
	const auto before = std::exchange(to_restore_, std::nullopt);
	if (!before)
		return {};
	const auto now = sysfs_.read();
	if (!now)
		return std::unexpected(now.error());
	// If the probed RNG disappears, the kernel selects another one; that is not a user's choice.
	if (now->selected && now->current != name_)
		return remove_record(root_);
	if (auto restored = put_back(sysfs_, *before, *now); !restored)
		return restored;
	if (auto removed = remove_record(root_); !removed)
		return removed;
	if (before->current.empty())
		return {};
	// Use a new descriptor, because a stalled read may still hold the old one. Ignore errors: if
	// this RNG returns no data now, it did not before the probe either.
	if (auto device = open_hwrng(root_)) {
		SecretBuffer stale(stale_bytes);
		[[maybe_unused]] const auto discarded =
		    (*device)->read(stale.span(), std::chrono::seconds(2));
	}
	return {};
}

} // namespace

Result<void> recover(const Root &root)
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
	// Keep a choice that was made since then.
	if (now->current == probed)
		if (auto restored = put_back(sysfs, before, *now); !restored)
			return restored;
	return remove_record(root);
}

std::optional<std::string> in_place_of(const Root &root, const std::string &current)
{
	const auto text = root.exists(record) ? root.read(record) : fail(ExitCode::io_error, "");
	if (!text)
		return std::nullopt;
	const auto [probed, before] = parse_record(*text);
	return probed == current ? std::optional(before.current) : std::nullopt;
}

Result<std::unique_ptr<Source>> open(const Root &root, const std::string &name)
{
	auto probed = std::make_unique<ProbedHwrng>(root, name);
	if (auto begun = probed->begin(); !begun)
		return std::unexpected(begun.error());
	return probed;
}

} // namespace hwrngd::hwrng_probe
