// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls that the daemon and its EGD server need. seccomp(2), libseccomp.
#include "base/privileges.h"

#include <asm/termbits.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include <seccomp.h>

namespace hwrngd {

namespace {

// clang-format off: one name per line would fill pages

// Memory, threads, time, and what the C library needs for them.
constexpr std::array process_calls{
    "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "clone", "clone3", "exit",
    "exit_group", "futex", "getegid", "geteuid", "getgid", "getpid", "getrandom", "getrlimit",
    "gettid", "gettimeofday", "getuid", "madvise", "membarrier", "mlock", "mlock2", "mmap",
    "mprotect", "mremap", "munlock", "munmap", "nanosleep", "prlimit64", "restart_syscall", "rseq",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity",
    "sched_yield", "set_robust_list", "set_tid_address", "sigaltstack", "sysinfo", "tgkill", "time",
    "times", "uname", "wait4", "waitid"};

// Files, pipes and timers.
constexpr std::array file_calls{
    "access", "chmod", "close", "close_range", "dup", "dup2", "dup3", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2",
    "faccessat", "faccessat2", "fadvise64", "fchmod", "fchmodat", "fcntl", "fdatasync", "flock",
    "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "lseek", "lstat", "mkdir",
    "mkdirat", "newfstatat", "open", "openat", "pipe2", "poll", "ppoll", "pread64", "pselect6",
    "pwrite64", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2",
    "select", "stat", "statfs", "statx", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    "umask", "unlink", "unlinkat", "write", "writev"};

constexpr std::array socket_calls{
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    "socketpair"};

// Clients use AF_UNIX; udev's events arrive by AF_NETLINK.
constexpr std::array families{AF_UNIX, AF_NETLINK};

// Requests of the kernel's pool, of sockets and of serial lines.
constexpr std::array<unsigned long, 15> ioctls{
    RNDADDENTROPY, RNDRESEEDCRNG, FIONBIO,  FIONREAD, TCGETS, TCSETS,   TCSETSW, TCSETSF,
    TCGETS2,       TCSETS2,       TCSETSW2, TCSETSF2, TCFLSH, TIOCEXCL, TIOCNXCL};

// The EGD server is one thread that waits, accepts, reads and writes. It opens nothing.
constexpr std::array server_calls{
    "accept4", "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "close", "epoll_ctl",
    "epoll_pwait", "epoll_wait", "exit", "exit_group", "fcntl", "fstat", "futex", "getpeername",
    "getpid", "getrandom", "getsockopt", "gettid", "gettimeofday", "madvise", "mlock", "mlock2",
    "mremap", "munmap", "newfstatat", "poll", "ppoll", "read", "readv", "recvfrom", "recvmsg",
    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield", "sendmsg",
    "sendto", "setsockopt", "shutdown", "tgkill", "time", "timerfd_settime", "write", "writev"};

// Calls that an intruder who has taken over the process would need next.
constexpr std::array deadly_calls{
    "add_key", "bpf", "chroot", "create_module", "delete_module", "execve", "execveat",
    "finit_module", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup",
    "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "mount", "move_mount",
    "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "process_vm_readv",
    "process_vm_writev", "ptrace", "reboot", "request_key", "setgid", "setgroups", "setns",
    "setregid", "setresgid", "setresuid", "setreuid", "setuid", "swapon", "umount2", "unshare",
    "userfaultfd"};

// clang-format on

/// The condition that argument `number` of a call is `value`.
scmp_arg_cmp equal(unsigned number, scmp_datum_t value)
{
	return {.arg = number, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

/// Adds rules to a filter. Keeps the first error.
class Rules {
public:
	explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

	/// Adds a rule, unless this architecture does not have the call.
	void add(uint32_t action, const char *call, const std::vector<scmp_arg_cmp> &conditions = {})
	{
		const int number = seccomp_syscall_resolve_name(call);
		if (number < 0)
			return;
		const int result = seccomp_rule_add_array(
		    filter_, action, number, static_cast<unsigned>(conditions.size()), conditions.data());
		if (error_ == 0)
			error_ = result;
	}

	[[nodiscard]] int error() const { return error_; }

private:
	scmp_filter_ctx filter_;
	int error_ = 0;
};

/// Installs a filter with the rules that `allow` adds. From now on all other calls are refused.
Result<void> load_filter(const std::function<void(Rules &)> &allow)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return {}; // sanitizers make other system calls
#endif
	const auto failed = [](int error) { return fail_errno(-error, "system call filter"); };
	// ENOSYS, because a later C library may try a newer call first and then fall back.
	const std::unique_ptr<void, void (*)(void *)> filter(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)),
	                                                     seccomp_release);
	if (!filter)
		return failed(-ENOMEM);
	Rules rules(filter.get());
	allow(rules);
	for (const char *call : deadly_calls)
		rules.add(SCMP_ACT_KILL_PROCESS, call);
	if (rules.error() != 0)
		return failed(rules.error());
	if (const int error = seccomp_load(filter.get()); error != 0)
		return failed(error);
	return {};
}

} // namespace

Result<void> filter_system_calls()
{
	return load_filter([](Rules &rules) {
		for (const char *call : process_calls)
			rules.add(SCMP_ACT_ALLOW, call);
		for (const char *call : file_calls)
			rules.add(SCMP_ACT_ALLOW, call);
		for (const char *call : socket_calls)
			rules.add(SCMP_ACT_ALLOW, call);
		for (const int family : families)
			rules.add(SCMP_ACT_ALLOW, "socket", {equal(0, static_cast<scmp_datum_t>(family))});
		for (const auto request : ioctls)
			rules.add(SCMP_ACT_ALLOW, "ioctl", {equal(1, request)});
		rules.add(SCMP_ACT_ALLOW, "prctl", {equal(0, PR_SET_NAME)});
	});
}

Result<void> filter_system_calls_of_server()
{
	return load_filter([](Rules &rules) {
		for (const char *call : server_calls)
			rules.add(SCMP_ACT_ALLOW, call);
		// Only without PROT_EXEC: memory that can be written must never become executable.
		for (const char *call : {"mmap", "mprotect"})
			rules.add(SCMP_ACT_ALLOW, call,
			          {{.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0}});
		rules.add(SCMP_ACT_ALLOW, "ioctl", {equal(1, FIONBIO)});
	});
}

} // namespace hwrngd
