// SPDX-License-Identifier: GPL-2.0-or-later
// A read(2) of /dev/hwrng may last for ever and, in virtio_read() of the kernel's virtio-rng, no
// signal but a fatal one ends it. So a thread reads, and who waits for it may stop waiting. A
// thread that is left behind owns all it touches and ends with the process.
#include "file_descriptor.h"
#include "interrupt.h"
#include "source/secret_buffer.h"
#include "source/source.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

namespace hwrngd {

namespace {

constexpr std::chrono::milliseconds slice{50}; // how soon a caught signal is noticed

/// One read(2) at a time, shared by the thread that performs it and the one that waits for it.
struct Reader {
	Reader(FileDescriptor descriptor, size_t piece) : fd(std::move(descriptor)), buffer(piece) {}

	/// The body of the thread: performs what is asked for until it is told to end.
	void serve()
	{
		std::unique_lock lock(mutex);
		while (true) {
			changed.wait(lock, [&] { return wanted > 0 || ending; });
			if (ending)
				return;
			lock.unlock();
			// Unlocked, as clang's analyzer does not see.
			const ssize_t n = ::read(fd.get(), buffer.span().data(), wanted); // NOLINT
			const int number = errno;
			lock.lock();
			bytes = n;
			error = number;
			wanted = 0;
			changed.notify_all();
		}
	}

	FileDescriptor fd;
	SecretBuffer buffer;
	std::mutex mutex; // guards all below
	std::condition_variable changed;
	size_t wanted = 0; // bytes of the read that is under way; 0: none is
	ssize_t bytes = 0; // the result of the last one
	int error = 0;
	bool ending = false;
};

/// A thread that no signal reaches: they are the main thread's.
std::thread start_without_signals(std::function<void()> body)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	std::thread thread(std::move(body));
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	return thread;
}

class DeviceSource : public Source {
public:
	DeviceSource(std::string name, FileDescriptor fd, size_t piece)
	    : name_(std::move(name)), reader_(std::make_shared<Reader>(std::move(fd), piece))
	{
		thread_ = start_without_signals([reader = reader_] { reader->serve(); });
	}
	DeviceSource(const DeviceSource &) = delete;
	DeviceSource &operator=(const DeviceSource &) = delete;
	~DeviceSource() override
	{
		bool reading = false;
		{
			const std::lock_guard lock(reader_->mutex);
			reader_->ending = true;
			reading = reader_->wanted > 0;
		}
		reader_->changed.notify_all();
		if (reading)
			thread_.detach();
		else
			thread_.join();
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		if (out.empty())
			return 0;
		const auto end = std::chrono::steady_clock::now() + limit;
		std::unique_lock lock(reader_->mutex);
		reader_->wanted = std::min(out.size(), reader_->buffer.span().size());
		reader_->changed.notify_all();
		while (!reader_->changed.wait_for(lock, slice, [&] { return reader_->wanted == 0; })) {
			if (interrupted() != 0)
				return fail_errno(EINTR, name_);
			if (std::chrono::steady_clock::now() >= end)
				return fail_stalled(name_, limit);
		}
		if (reader_->bytes < 0)
			return fail_errno(reader_->error, name_);
		const auto n = static_cast<size_t>(reader_->bytes);
		std::memcpy(out.data(), reader_->buffer.span().data(), n);
		return n;
	}

private:
	std::string name_;
	std::shared_ptr<Reader> reader_; // the thread's too, which may outlive us
	std::thread thread_;
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
	// O_NOCTTY: a serial generator must not become our terminal.
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
	return std::make_unique<DeviceSource>(standard_input ? "standard input" : path.string(),
	                                      std::move(fd), piece);
}

} // namespace hwrngd
