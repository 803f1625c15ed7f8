// SPDX-License-Identifier: GPL-2.0-or-later
#include "resources.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <malloc.h>

#include <fmt/format.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// A function of libasan and libtsan, for which g++ 12 has no header.
extern "C" size_t __sanitizer_get_current_allocated_bytes();

// Freed memory stays resident for a while, to detect its use: by default up to 256 MiB.
extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options()
{
	return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}
#endif

namespace hwrngd::soak {

namespace {

size_t entries(const std::string &folder)
{
	const std::filesystem::directory_iterator all(folder);
	return static_cast<size_t>(std::distance(begin(all), end(all)));
}

size_t resident(const std::string &folder)
{
	std::ifstream statm(folder + "/statm");
	size_t pages = 0;
	statm >> pages >> pages; // the second is the resident set
	return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t heap()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

} // namespace

Resources resources_of(pid_t pid)
{
	const auto folder = fmt::format("/proc/{}", pid);
	Resources found;
	found.descriptors = entries(folder + "/fd");
	found.threads = entries(folder + "/task");
	found.resident = resident(folder);
	found.heap = pid == getpid() ? heap() : 0;
	return found;
}

std::string text(const Resources &resources)
{
	return fmt::format("{} descriptors, {} threads, {} KiB of heap, {} KiB resident",
	                   resources.descriptors, resources.threads, resources.heap / 1024,
	                   resources.resident / 1024);
}

} // namespace hwrngd::soak
