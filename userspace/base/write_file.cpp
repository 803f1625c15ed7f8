// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/write_file.h"

#include "base/file_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace hwrngd {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> fail_write(int number, const fs::path &path)
{
	// A path that cannot be written is an I/O error, even on a device that has gone.
	auto error = fail_errno(number, path.string());
	if (error.error().code != ExitCode::not_permitted)
		error.error().code = ExitCode::io_error;
	return error;
}

/// Opens `file` and writes it. For a regular file, waits until it is on the disk.
Result<void> write_to(const fs::path &file, int flags, std::string_view contents,
                      const std::optional<Access> &access = {})
{
	const FileDescriptor fd(open(file.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666));
	if (!fd)
		return fail_write(errno, file);
	// Set the mode last, because a change of owner may clear bits of it.
	if (access &&
	    (fchown(fd.get(), access->uid, access->gid) < 0 || fchmod(fd.get(), access->mode) < 0))
		return fail_write(errno, file);
	while (!contents.empty()) {
		const ssize_t written = write(fd.get(), contents.data(), contents.size());
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail_write(errno, file);
		contents.remove_prefix(static_cast<size_t>(written));
	}
	// Pipes and terminals cannot be synchronized.
	if (fsync(fd.get()) < 0 && errno != EINVAL && errno != EROFS)
		return fail_write(errno, file);
	return {};
}

Result<void> write_whole(const fs::path &path, std::string_view contents,
                         const std::optional<Access> &access)
{
	std::error_code ignored;
	// Keep a symbolic link, and replace the file that it points to.
	fs::path target = path;
	if (fs::is_symlink(path, ignored))
		if (auto real = fs::weakly_canonical(path, ignored); !real.empty())
			target = real;
	fs::path part = target;
	part += fmt::format(".{}.part", getpid());
	auto done = write_to(part, O_CREAT | O_EXCL, contents, access);
	if (done && rename(part.c_str(), target.c_str()) < 0)
		done = fail_write(errno, target);
	if (!done) {
		// Do not remove a temporary file that existed before: it is not ours.
		if (done.error().number != EEXIST)
			unlink(part.c_str());
		done.error().message =
		    fmt::format("{}: nothing was written ({})", path.string(), done.error().message);
	}
	return done;
}

} // namespace

Result<void> write_file(const fs::path &path, std::string_view contents)
{
	std::error_code ignored;
	if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))
		return write_to(path, 0, contents);
	return write_whole(path, contents, std::nullopt);
}

Result<void> write_file(const fs::path &path, std::string_view contents, const Access &access)
{
	return write_whole(path, contents, access);
}

Result<void> remove_file(const std::filesystem::path &path)
{
	std::error_code error;
	std::filesystem::remove(path, error);
	if (error)
		return fail_errno(error.value(), path.string());
	return {};
}

} // namespace hwrngd
