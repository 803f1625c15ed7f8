// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngd: feeds the kernel's pool from all healthy sources, for as long as the machine runs. Reads
// its configuration, and gives up the rights that it does not need before it begins.
#include "base/listener.h"
#include "base/log.h"
#include "base/privileges.h"
#include "control/config.h"
#include "control/programs.h"
#include "daemon/daemon.h"
#include "pool/kernel_pool.h"
#include "process/egd_process.h"
#include "process/helper.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace hwrngd {

namespace {

constexpr const char *folder = "/run/hwrngd";

/// Only one daemon can run on a machine: a second one would find that its sources are in use.
Result<FileDescriptor> lock_out_others(const Root &root)
{
	const std::string name = std::string(folder) + "/lock";
	std::error_code failed;
	std::filesystem::create_directories(root.at(folder), failed);
	if (failed)
		return fail_errno(failed.value(), root.at(folder).string());
	// The folder belongs to an ordinary user, who must not redirect root with a symbolic link.
	auto fd = root.open(name, O_RDWR | O_CREAT | O_NOFOLLOW);
	if (!fd)
		return fd;
	if (flock(fd->get(), LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? Result<FileDescriptor>(
		                                  fail(ExitCode::unavailable,
		                                       "another hwrngd is running; `hwrngctl status` shows "
		                                       "what it does"))
		                            : fail_errno(errno, root.at(name).string());
	return fd;
}

/// The user that the daemon becomes. If it does not exist, the daemon remains root, but keeps only
/// one capability.
Result<std::optional<User>> user_of(const Config &config)
{
	auto user = find_user(config.user);
	if (user && !*user && geteuid() == 0)
		log(Priority::warning, Event::restricted,
		    fmt::format("the user \"{0}\" does not exist, so hwrngd remains root. To create it: "
		                "useradd --system --no-create-home --shell /usr/sbin/nologin {0}",
		                config.user));
	return user;
}

/// The program that loads modules. It is in the same folder as this one.
Result<std::filesystem::path> hwrngctl()
{
	const auto here = own_folder();
	if (!here)
		return here;
	return *here / "hwrngctl";
}

Result<std::shared_ptr<const Helper>> find_helper(const Root &root)
{
	if (geteuid() != 0 && Helper::is_offered(root))
		return Helper::connect(root);
	const auto program = hwrngctl();
	if (!program)
		return std::unexpected(program.error());
	return Helper::start(root, *program);
}

Result<void> run_helper(const Root &root)
{
	const auto program = hwrngctl();
	if (!program)
		return std::unexpected(program.error());
	return Helper::serve(root, *program);
}

/// Gives up all rights except the one to feed the kernel's pool.
Result<void> become_harmless(const Root &root, const std::optional<User> &user)
{
	if (const auto locked = lock_memory(); !locked)
		log(Priority::warning, Event::restricted, locked.error().message);
	if (user && geteuid() == 0 && lchown(root.at(folder).c_str(), user->uid, user->gid) < 0)
		return fail_errno(errno, root.at(folder).string());
	if (auto gave_up = give_up_rights(user, {.capabilities = {CAP_SYS_ADMIN}}); !gave_up)
		return gave_up;
	if (auto forbidden = forbid_gaining_rights(); !forbidden)
		return forbidden;
	if (const auto filtered = filter_system_calls(); !filtered)
		log(Priority::warning, Event::restricted, filtered.error().message);
	return {};
}

/// Opens the files for TLS while this process still can: the key may be readable only by root. If
/// one cannot be opened, TLS clients are not served; everything else works.
void open_for_tls(const Root &root, const EgdConfig &egd, EgdSockets &sockets)
{
	const std::array files{std::pair("tls_certificate", &egd.tls_certificate),
	                       std::pair("tls_key", &egd.tls_key),
	                       std::pair("tls_client_ca", &egd.tls_client_ca)};
	for (const auto &[key, path] : files) {
		auto file = root.open(*path, O_RDONLY | O_NONBLOCK); // a FIFO must not block us
		if (!file) {
			log(Priority::error, Event::restricted,
			    fmt::format(
			        "egd.{}: {}; no client is served over TLS until hwrngd can read this file "
			        "and is restarted",
			        key, file.error().message));
			break;
		}
		sockets.files.push_back(std::move(*file));
	}
	if (sockets.files.size() == files.size())
		return;
	sockets.files.clear();
	std::ranges::replace(sockets.kinds, 't', 'n');
}

/// Starts the EGD server if the configuration or the service manager names a socket for it.
/// Returns the connection to the server's process, or no descriptor.
Result<FileDescriptor> serve_egd(const Root &root, const Config &config,
                                 std::vector<PassedListener> passed,
                                 const std::optional<User> &user)
{
	EgdSockets sockets;
	const auto add = [&](FileDescriptor listener, bool tls) {
		sockets.listeners.push_back(std::move(listener));
		sockets.kinds += tls ? 't' : 'p';
	};
	std::vector<ListenAddress> addresses;
	for (auto &[name, listener] : passed) {
		if (name != "egd" && name != "egd-tls")
			continue;
		auto address = address_of(listener);
		if (!address)
			return std::unexpected(address.error());
		address->tls = name == "egd-tls";
		add(std::move(listener), address->tls);
		addresses.push_back(std::move(*address));
	}
	if (auto wrong = wrong_listeners(config.egd, addresses); !wrong.empty())
		return fail(ExitCode::usage, std::move(wrong));
	for (const auto &text : config.egd.listen) {
		const auto address = parse_listen_address(text);
		if (!address)
			return std::unexpected(address.error());
		auto listener = open_listener(root, *address);
		if (!listener)
			return listener;
		add(std::move(*listener), address->tls);
	}
	if (sockets.listeners.empty())
		return FileDescriptor();
	if (sockets.kinds.find('t') != std::string::npos)
		open_for_tls(root, config.egd, sockets);
	const auto here = own_folder();
	if (!here)
		return std::unexpected(here.error());
	return start_egd_server(hidden_program(*here, "hwrngd-egd"), config.egd, std::move(sockets),
	                        user);
}

/// Prints notes on values that are well-formed but may be mistakes.
void print_notes(const Root &root, const Config &config)
{
	for (const auto &[name, source] : config.sources)
		if (!source.path.empty() && root.is_missing(source.path))
			fmt::print("Note: the source {} is absent: {} does not exist. It is read once that "
			           "path exists.\n",
			           name, source.path);
}

Result<void> run(Root root, bool check)
{
	const auto config = read_config(root);
	if (!config)
		return std::unexpected(config.error());
	if (check) {
		fmt::print("The configuration is well-formed.\n");
		print_notes(root, *config);
		return {};
	}
	auto pool = KernelPool::open(root);
	if (!pool)
		return std::unexpected(pool.error());
	const auto user = user_of(*config);
	if (!user)
		return std::unexpected(user.error());
	if (auto forbidden = forbid_gaining_rights(); !forbidden)
		return forbidden;
	auto passed = take_passed_listeners();
	if (!passed)
		return std::unexpected(passed.error());
	// Before the lock: otherwise the helper would inherit it, and hold it for a moment after the
	// daemon is killed.
	const auto helper = find_helper(root);
	if (!helper)
		return std::unexpected(helper.error());
	const auto lock = lock_out_others(root);
	if (!lock)
		return std::unexpected(lock.error());
	auto egd = serve_egd(root, *config, std::move(*passed), *user);
	if (!egd)
		return std::unexpected(egd.error());
	if (auto harmless = become_harmless(root, *user); !harmless)
		return harmless;
	root.ask(*helper);
	return run_daemon(root, *config, std::move(*pool), *helper, std::move(*egd));
}

struct Arguments {
	std::string root = "/";
	bool check = false;
	bool helper = false;
};

/// Parses the command line. If there is nothing left to do, it returns the exit code.
std::expected<Arguments, int> arguments_of(int argc, char **argv)
{
	constexpr const char *help =
	    "Feeds the kernel's pool from all healthy sources of randomness.\n"
	    "Usage: hwrngd [OPTIONS]\n\n"
	    "  -h, --help          Print this help and exit\n"
	    "  -V, --version       Print the version and exit\n"
	    "  --check-config      Check the configuration, print what is wrong, and exit\n"
	    "  --helper            Run as the privileged helper of the daemon on standard\n"
	    "                      input (for hwrngd-helper.socket)\n"
	    "  --root FOLDER       Look for /etc, /sys, /proc, /dev and /run below this\n"
	    "                      folder (for tests; default: /)\n\n"
	    "Stays in the foreground. Signals: SIGHUP reads the configuration again, SIGUSR1\n"
	    "feeds now, SIGTERM exits. `hwrngctl status` shows what it does. See hwrngd(8).\n";
	static constexpr std::array<struct option, 6> options{{
	    {"help", no_argument, nullptr, 'h'},
	    {"version", no_argument, nullptr, 'V'},
	    {"check-config", no_argument, nullptr, 'c'},
	    {"helper", no_argument, nullptr, 'p'},
	    {"root", required_argument, nullptr, 'r'},
	    {nullptr, 0, nullptr, 0},
	}};
	Arguments arguments;
	while (true) {
		switch (getopt_long(argc, argv, "hV", options.data(), nullptr)) {
		case 'h':
			fmt::print("{}", help);
			return std::unexpected(0);
		case 'V':
			fmt::print("hwrngd {}\n", HWRNGD_VERSION);
			return std::unexpected(0);
		case 'c':
			arguments.check = true;
			break;
		case 'p':
			arguments.helper = true;
			break;
		case 'r':
			arguments.root = optarg;
			break;
		case -1:
			if (optind >= argc)
				return arguments;
			fmt::print(stderr, "hwrngd: unknown argument \"{}\"; see `hwrngd --help`\n",
			           argv[optind]);
			return std::unexpected(static_cast<int>(ExitCode::usage));
		default: // getopt_long(3) has printed what is wrong
			fmt::print(stderr, "See `hwrngd --help`.\n");
			return std::unexpected(static_cast<int>(ExitCode::usage));
		}
	}
}

} // namespace

} // namespace hwrngd

int main(int argc, char **argv)
try {
	using namespace hwrngd;
	const auto arguments = arguments_of(argc, argv);
	if (!arguments)
		return arguments.error();
	std::signal(SIGPIPE, SIG_IGN);
	const auto done = arguments->helper ? run_helper(Root(arguments->root))
	                                    : run(Root(arguments->root), arguments->check);
	if (done)
		return 0;
	log(Priority::error, Event::failed, done.error().message);
	return static_cast<int>(done.error().code);
} catch (const std::exception &error) {
	std::fputs("hwrngd: ", stderr);
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return static_cast<int>(hwrngd::ExitCode::io_error);
}
