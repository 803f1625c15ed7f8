// SPDX-License-Identifier: GPL-2.0-or-later
// A source that reads a device or file. A read(2) may never end, so a Worker performs it and the
// caller can stop waiting.
#include "base/file_descriptor.h"
#include "base/interrupt.h"
#include "base/secret_buffer.h"
#include "base/worker.h"
#include "source/source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>

namespace hwrngd {

namespace {

constexpr std::chrono::milliseconds slice{50}; // how soon a caught signal is noticed

/// Files with a read(2) that hangs in a thread that was left behind. Another read would hang too,
/// and each attempt would cost one more thread.
class HangingReads {
public:
	/// The set of this process.
	static std::shared_ptr<HangingReads> all()
	{
		static const auto reads = std::make_shared<HangingReads>();
		return reads;
	}

	void add(const std::string &name)
	{
		const std::lock_guard lock(mutex_);
		names_.insert(name);
	}
	void remove(const std::string &name)
	{
		const std::lock_guard lock(mutex_);
		if (const auto found = names_.find(name); found != names_.end())
			names_.erase(found);
	}
	[[nodiscard]] bool has(const std::string &name)
	{
		const std::lock_guard lock(mutex_);
		return names_.contains(name);
	}

private:
	std::mutex mutex_; // guards names_
	std::multiset<std::string> names_;
};

/// One read(2) at a time, shared by the thread that performs it and the thread that waits for it.
struct Reader {
	Reader(std::string file, FileDescriptor descriptor, size_t piece)
	    : name(std::move(file)), fd(std::move(descriptor)), buffer(piece)
	{
	}

	void read()
	{
		const ssize_t n = ::read(fd.get(), buffer.span().data(), wanted);
		const int number = errno;
		{
			const std::lock_guard lock(mutex);
			bytes = n;
			error = number;
			done = true;
			if (left_behind)
				hanging->remove(name);
		}
		changed.notify_all();
	}

	std::string name;
	std::shared_ptr<HangingReads> hanging = HangingReads::all();
	FileDescriptor fd;
	SecretBuffer buffer;
	size_t wanted = 0; // bytes; not changed during a read
	std::mutex mutex;  // guards all below
	std::condition_variable changed;
	bool done = false;
	bool left_behind = false;
	ssize_t bytes = 0;
	int error = 0;
};

class DeviceSource : public Source {
public:
	DeviceSource(const std::string &name, FileDescriptor fd, size_t piece)
	    : name_(name), reader_(std::make_shared<Reader>(name, std::move(fd), piece))
	{
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		if (out.empty())
			return 0;
		if (reader_->hanging->has(name_))
			return std::unexpected(
			    Error{ExitCode::io_error, name_ + ": an earlier read still hangs", ETIMEDOUT});
		const auto end = std::chrono::steady_clock::now() + limit;
		std::unique_lock lock(reader_->mutex);
		reader_->done = false;
		reader_->wanted = std::min(out.size(), reader_->buffer.span().size());
		worker_.run([reader = reader_] { reader->read(); });
		while (!reader_->changed.wait_for(lock, slice, [&] { return reader_->done; })) {
			if (interrupted() != 0)
				return fail_errno(EINTR, name_);
			if (std::chrono::steady_clock::now() >= end) {
				reader_->left_behind = true;
				reader_->hanging->add(name_);
				return fail_stalled(name_, limit);
			}
		}
		if (reader_->bytes < 0)
			return fail_errno(reader_->error, name_);
		const auto n = static_cast<size_t>(reader_->bytes);
		std::memcpy(out.data(), reader_->buffer.span().data(), n);
		return n;
	}

private:
	std::string name_;
	std::shared_ptr<Reader> reader_; // shared with the thread, which may outlive this object
	Worker worker_;
};

} // namespace

Result<size_t> fill(Source &source, std::span<uint8_t> out)
{
	size_t have = 0;
	while (have < out.size()) {
		if (interrupted() != 0)
			return fail_errno(EINTR, "read");
		auto n = source.read(out.subspan(have), stall_limit);
		if (!n)
			return n;
		if (*n == 0)
			break;
		have += *n;
	}
	return have;
}

Result<std::unique_ptr<Source>> open_device(const std::filesystem::path &path, size_t piece)
{
	const bool standard_input = path == "-";
	// O_NOCTTY, so that a serial generator does not become our controlling terminal.
	const int number = standard_input ? ::dup(STDIN_FILENO)
	                                  : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (number < 0)
		return fail_errno(errno, standard_input ? "standard input" : path.string());
	FileDescriptor fd(number);
	struct stat status = {};
	if (fstat(number, &status) < 0)
		return fail_errno(errno, path.string());
	if (S_ISDIR(status.st_mode))
		return fail(ExitCode::usage,
		            fmt::format("{}: is a folder, not a file or device", path.string()));
	return read_device(standard_input ? "standard input" : path.string(), std::move(fd), piece);
}

std::unique_ptr<Source> read_device(const std::string &name, FileDescriptor fd, size_t piece)
{
	return std::make_unique<DeviceSource>(name, std::move(fd), piece);
}

} // namespace hwrngd
