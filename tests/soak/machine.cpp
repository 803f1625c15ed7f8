// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine.h"

#include <chrono>
#include <thread>
#include <utility>

namespace hwrngd::soak {

namespace {

using namespace std::chrono_literals;

constexpr const char *virtio = "virtio_rng.0";
constexpr const char *probed = "tpm_rng.0";
// A real stall takes seconds.
constexpr auto short_stall = 20ms;
// The number of bytes that are thrown away when the hwrng is switched. An abandoned read may take
// as many.
constexpr size_t stale_bytes = 64;
constexpr size_t hanging_bytes = 128;

/// A source without a file.
class Bare : public Source {
public:
	explicit Bare(Device &device) : device_(device) {}
	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		if (device_.fault() == Fault::stalled)
			return fail_stalled("bare", limit);
		device_.fill(out);
		return out.size();
	}

private:
	Device &device_;
};

} // namespace

/// A harvest's access to a source. Puts bytes into its wire as they are asked for, simulates faults
/// that a file cannot have, and records what was read.
class Machine::Watched : public Source {
public:
	Watched(std::shared_ptr<Machine> machine, const SourceInfo &info, Device &device, Wire *wire,
	        std::unique_ptr<Source> real)
	    : machine_(std::move(machine)), name_(info.name), is_hwrng_(info.kind == SourceKind::hwrng),
	      device_(device), wire_(wire), real_(std::move(real)), bare_(device)
	{
		machine_->ledger_.begin(name_);
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		const auto fault = device_.fault();
		if (fault == Fault::slow)
			std::this_thread::sleep_for(std::chrono::milliseconds(device_.some(3)));
		if (fault == Fault::torn)
			out = out.first(device_.some(out.size()));
		if (fault == Fault::stalled)
			limit = short_stall;
		auto n = read_real(fault, out, limit);
		if (n)
			machine_->ledger_.took(name_, out.first(*n));
		if (!n || *n == 0)
			device_.note_failure();
		return n;
	}

	Result<void> close() override
	{
		if (!real_)
			return {};
		if (is_hwrng_) // some bytes are discarded at the end of a probe
			wire_->put(device_, stale_bytes + hanging_bytes);
		return real_->close();
	}

private:
	Result<size_t> read_real(Fault fault, std::span<uint8_t> out, std::chrono::milliseconds limit)
	{
		if (fault == Fault::broken)
			return fail_errno(EIO, name_);
		if (fault == Fault::ended)
			return 0;
		if (fault == Fault::gone && !real_)
			return fail_errno(ENODEV, name_);
		if (!real_)
			return bare_.read(out, limit);
		if (fault != Fault::stalled)
			wire_->put(device_, out.size());
		return real_->read(out, limit);
	}

	std::shared_ptr<Machine> machine_;
	std::string name_;
	bool is_hwrng_;
	Device &device_;
	Wire *wire_;
	std::unique_ptr<Source> real_;
	Bare bare_;
};

Machine::Machine(uint64_t seed)
    : root_(tree_.root()), sources_(std::make_shared<SourceCache>(root_)), chip_(seed)
{
	for (const char *name :
	     {virtio, probed, "tpmrm0", "jitter", "fifo", "file", "serial", "program"})
		devices_.try_emplace(name, ++seed);
	wires_.try_emplace("hwrng", tree_, "/dev/hwrng", WireKind::fifo);
	wires_.try_emplace("fifo", tree_, "/run/fifo", WireKind::fifo);
	wires_.try_emplace("file", tree_, "/var/file", WireKind::file);
	wires_.try_emplace("serial", tree_, "/dev/serial", WireKind::serial);
	wires_.try_emplace("program", tree_, "/run/program", WireKind::fifo);
	tree_.hwrng(fmt::format("{} {}", virtio, probed), virtio, true, "1000");
}

void Machine::ask(const std::shared_ptr<const Helper> &helper)
{
	root_.ask(helper);
	sources_ = std::make_shared<SourceCache>(root_);
}

void Machine::list_hwrngs(bool all)
{
	// With the lock, so that no probe is running.
	const auto lock = HwrngSysfs(root_).lock(std::chrono::minutes(1));
	if (!lock)
		throw std::runtime_error(lock.error().message);
	tree_.file(std::string(test::hw_random) + "/rng_available",
	           all ? fmt::format("{} {}\n", virtio, probed) : fmt::format("{}\n", virtio));
}

Inventory Machine::inventory(const Config &config) const
{
	auto inventory = take_inventory(root_, config);
	inventory.sources.push_back({"chip", SourceKind::cpu, "", 4, false});
	for (const auto &[name, kind] :
	     {std::pair{"tpmrm0", SourceKind::tpm2}, std::pair{"jitter", SourceKind::jitter}})
		if (devices_.at(name).fault() != Fault::gone)
			inventory.sources.push_back({name, kind, "", 512, false});
	return inventory;
}

bool Machine::suffers(const std::string &source, Fault fault)
{
	if (fault == Fault::gone)
		return source != virtio && source != "program";
	// A probe must end before the next one is due.
	return fault != Fault::slow || source != probed;
}

void Machine::set(const std::string &source, Fault fault)
{
	auto &device = devices_.at(source);
	const auto before = device.fault();
	device.set(fault);
	const bool there = fault != Fault::gone;
	if (there == (before != Fault::gone))
		return;
	if (source == probed)
		list_hwrngs(there);
	else if (const auto wire = wires_.find(source); wire != wires_.end())
		there ? wire->second.plug() : wire->second.unplug();
}

Result<std::unique_ptr<Source>> Machine::open(const SourceInfo &info)
{
	if (info.name == "chip")
		return std::make_unique<Watched>(shared_from_this(), info, chip_, nullptr, nullptr);
	auto &device = devices_.at(info.name);
	if (info.kind == SourceKind::tpm2 || info.kind == SourceKind::jitter)
		return std::make_unique<Watched>(shared_from_this(), info, device, nullptr, nullptr);
	const bool hwrng = info.kind == SourceKind::hwrng;
	auto &wire = wires_.at(hwrng ? "hwrng" : info.name);
	if (hwrng) {
		// The bytes in the wire are from the other hwrng, or old.
		wire.drain();
		wire.put(device, stale_bytes + hanging_bytes);
	}
	auto real = sources_->open(info);
	if (!real) {
		device.note_failure();
		return std::unexpected(real.error());
	}
	return std::make_unique<Watched>(shared_from_this(), info, device, &wire, std::move(*real));
}

} // namespace hwrngd::soak
