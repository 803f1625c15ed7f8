// SPDX-License-Identifier: GPL-2.0-or-later
// The helper is a real process, in a tree of files.
#include "process/helper.h"

#include "base/privileges.h"
#include "control/open_source.h"
#include "fake_tree.h"
#include "paths.h"
#include "processes.h"
#include "scripted_server.h"
#include "sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <future>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

struct Helped {
	Helped()
	{
		auto started = Helper::start(tree.root(), hwrngctl_path);
		EXPECT_TRUE(started);
		helper = *started;
	}

	std::string read(const std::string &name, int flags = O_RDONLY) const
	{
		const auto fd = helper->open(name, flags);
		if (!fd)
			return "error: " + fd.error().message;
		std::array<char, 100> text{};
		const auto n = ::read(fd->get(), text.data(), text.size());
		return {text.data(), static_cast<size_t>(std::max<ssize_t>(n, 0))};
	}
	bool refuses(const std::string &name, int flags) const
	{
		const auto fd = helper->open(name, flags);
		return !fd && fd.error().code == ExitCode::not_permitted &&
		       fd.error().message.starts_with(tree.at(name).string());
	}

	mutable FakeTree tree;
	std::shared_ptr<const Helper> helper;
};

TEST(Helper, OpensWhatADaemonNeeds)
{
	Helped h;
	h.tree.file("/dev/hwrng", "hwrng");
	h.tree.file("/dev/tpmrm0", "tpm");
	h.tree.hwrng("a b", "a");
	EXPECT_EQ(h.read("/dev/hwrng"), "hwrng");
	EXPECT_EQ(h.read("/dev/tpmrm0", O_RDWR | O_NONBLOCK), "tpm");
	const auto current =
	    h.helper->open("/sys/class/misc/hw_random/rng_current", O_WRONLY | O_TRUNC);
	ASSERT_TRUE(current) << current.error().message;
	EXPECT_EQ(write(current->get(), "b", 1), 1);
	EXPECT_EQ(h.tree.text("/sys/class/misc/hw_random/rng_current"), "b");
}

TEST(Helper, RefusesEverythingElse)
{
	Helped h;
	h.tree.hwrng("a b", "a");
	for (const char *name :
	     {"/dev/hwrng", "/dev/tpmrm0", "/dev/tpmrm", "/dev/tpmrmx", "/etc/shadow"})
		h.tree.file(name, "text");
	EXPECT_TRUE(h.refuses("/dev/hwrng", O_RDWR));
	EXPECT_TRUE(h.refuses("/dev/hwrng", O_WRONLY));
	EXPECT_TRUE(h.refuses("/dev/hwrng", O_RDONLY | O_CREAT));
	EXPECT_TRUE(h.refuses("/dev/tpmrm0", O_RDWR | O_TRUNC));
	EXPECT_TRUE(h.refuses("/dev/tpmrm", O_RDWR));
	EXPECT_TRUE(h.refuses("/dev/tpmrmx", O_RDWR));
	EXPECT_TRUE(h.refuses("/dev/tpmrm0/../../etc/shadow", O_RDWR));
	EXPECT_TRUE(h.refuses("/etc/shadow", O_RDONLY));
	EXPECT_TRUE(h.refuses("", O_RDONLY));
	EXPECT_TRUE(h.refuses("/sys/class/misc/hw_random/rng_current", O_RDWR));
	EXPECT_TRUE(h.refuses("/sys/class/misc/hw_random/rng_available", O_WRONLY));
}

TEST(Helper, OpensTheGeneratorsOfTheCurrentConfiguration)
{
	Helped h;
	h.tree.file("/tmp/generator", "bytes");
	EXPECT_TRUE(h.refuses("/tmp/generator", O_RDONLY));
	h.tree.file("/etc/hwrngd.conf", "[source.g]\npath = \"/tmp/generator\"\n");
	EXPECT_EQ(h.read("/tmp/generator"), "bytes");
	EXPECT_TRUE(h.refuses("/tmp/generator", O_WRONLY));
	EXPECT_TRUE(h.helper->open("/tmp/generator", O_PATH));
	EXPECT_TRUE(h.refuses("/tmp/other", O_PATH));
	h.tree.file("/etc/hwrngd.conf", "nonsense");
	EXPECT_EQ(h.read("/dev/hwrng").find("error: " + h.tree.at("/etc/hwrngd.conf").string()), 0U);
}

TEST(Helper, ReturnsTheErrorsOfTheSystem)
{
	const Helped h;
	const auto missing = h.helper->open("/dev/hwrng", O_RDONLY);
	ASSERT_FALSE(missing);
	EXPECT_EQ(missing.error().code, ExitCode::io_error);
	EXPECT_EQ(missing.error().number, ENOENT);
}

TEST(Helper, OpensForAnotherUserWhatThatUserCannot)
{
	if (geteuid() != 0 || !has_capability(Root(), CAP_SETUID))
		GTEST_SKIP() << "needs root";
	const Helped h; // here, so that this process removes its folder, not the child
	EXPECT_EXIT(
	    {
		    Root root = h.tree.root();
		    h.tree.file("/dev/hwrng", "hwrng");
		    h.tree.file("/dev/other", "other");
		    if (!give_up_rights(User{.uid = 65534, .gid = 65534}, {}))
			    _exit(2);
		    const bool alone = root.read("/dev/hwrng").has_value(); // the folder is root's
		    root.ask(h.helper);
		    const bool helped = root.read_if_any("/dev/hwrng") == "hwrng";
		    const bool too_much = root.read("/dev/other").has_value();
		    _exit(!alone && helped && !too_much ? 0 : 1);
	    },
	    testing::ExitedWithCode(0), "");
}

TEST(Helper, ARequestThatHangsDelaysNoOther)
{
	Helped h;
	ASSERT_EQ(mkfifo(h.tree.at("/fifo").c_str(), 0600), 0);
	h.tree.file("/dev/hwrng", "hwrng");
	h.tree.file("/etc/hwrngd.conf", "[source.g]\npath = \"/fifo\"\n");
	auto hanging = std::async(std::launch::async,
	                          [&] { return h.helper->open("/fifo", O_RDONLY).has_value(); });
	EXPECT_EQ(h.read("/dev/hwrng"), "hwrng");
	EXPECT_EQ(hanging.wait_for(0s), std::future_status::timeout);
	const FileDescriptor writer(open(h.tree.at("/fifo").c_str(), O_RDWR | O_CLOEXEC));
	EXPECT_TRUE(hanging.get());
}

TEST(Helper, RunsConfiguredCommands)
{
	Helped h;
	EXPECT_EQ(h.helper->run("c").error().code, ExitCode::not_permitted);
	h.tree.file(
	    "/etc/hwrngd.conf",
	    "[source.c]\ncommand = [\"sh\", \"-c\", \"grep CapEff /proc/self/status; exit 3\"]\n");
	auto program = h.helper->run("c");
	ASSERT_TRUE(program) << program.error().message;
	std::array<char, 100> text{};
	ssize_t n = -1;
	for (int i = 0; i < 500 && n < 0; i++) {
		n = read((*program)->output(), text.data(), text.size());
		std::this_thread::sleep_for(10ms);
	}
	EXPECT_EQ(std::string(text.data()), "CapEff:\t0000000000000000\n") << "without any capability";
	while (read((*program)->output(), text.data(), text.size()) < 0)
		std::this_thread::sleep_for(10ms);
	const auto status = (*program)->end();
	ASSERT_TRUE(status) << status.error().message;
	EXPECT_EQ(WEXITSTATUS(*status), 3);
}

TEST(Helper, PullsFromConfiguredMachines)
{
	const ScriptedServer server({[](const Talk &talk) {
		talk.greet();
		while (const size_t n = talk.asked())
			talk.send(std::vector<uint8_t>(n, 'x'));
	}});
	Helped h;
	h.tree.file("/etc/hwrngd.conf",
	            fmt::format("[source.u]\negd = \"tcp:127.0.0.1:{}\"\n", server.port()));
	Root root = h.tree.root();
	root.ask(h.helper);
	const auto config = read_config(root);
	ASSERT_TRUE(config) << config.error().message;
	const auto inventory = take_inventory(root, *config);
	const auto found = std::ranges::find(inventory.sources, std::string("u"), &SourceInfo::name);
	ASSERT_NE(found, inventory.sources.end());
	auto source = open_source(root, *found);
	ASSERT_TRUE(source) << source.error().message;
	std::array<uint8_t, 300> bytes{};
	ASSERT_EQ(fill(**source, bytes).value_or(0), bytes.size());
	EXPECT_EQ(bytes.front(), 'x');
	EXPECT_EQ(bytes.back(), 'x');
}

TEST(Helper, ACommandEndsWithItsObject)
{
	Helped h;
	h.tree.file("/etc/hwrngd.conf",
	            "[source.c]\ncommand = [\"sh\", \"-c\", \"echo $$; exec sleep 60\"]\n");
	SourceInfo info{.name = "c", .kind = SourceKind::command, .driver = ""};
	info.command = {"not", "what", "is", "run"};
	Root root = h.tree.root();
	root.ask(h.helper);
	pid_t pid = 0;
	{
		auto source = open_source(root, info);
		ASSERT_TRUE(source);
		std::array<uint8_t, 20> text{};
		const auto n = (*source)->read(text, 5s);
		ASSERT_TRUE(n) << n.error().message;
		pid = std::stoi(std::string(text.begin(), text.begin() + static_cast<ptrdiff_t>(*n)));
		EXPECT_EQ(kill(pid, 0), 0);
	}
	EXPECT_TRUE(has_ended(pid));
}

TEST(Helper, LoadsOnlyConfiguredModules)
{
	Helped h;
	h.tree.file("/etc/hwrngd.conf", "modules = [\"tpm_rng\"]\n");
	h.tree.file("/proc/sys/kernel/osrelease", "0-test\n");
	h.tree.file("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	const auto other = h.helper->load("cpu_rng");
	ASSERT_FALSE(other);
	EXPECT_EQ(other.error().code, ExitCode::not_permitted);
	const auto listed = h.helper->load("tpm_rng");
	ASSERT_FALSE(listed);
	EXPECT_EQ(listed.error().code, ExitCode::unavailable) << "the file does not exist";
}

TEST(Helper, ItsDeathIsReported)
{
	const auto before = children();
	const Helped h;
	struct pollfd watch = {.fd = h.helper->end(), .events = POLLIN, .revents = 0};
	EXPECT_EQ(poll(&watch, 1, 0), 0);
	const auto now = children();
	std::vector<pid_t> helpers;
	std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
	                    std::back_inserter(helpers));
	ASSERT_EQ(helpers.size(), 1U);
	ASSERT_EQ(kill(helpers.front(), SIGKILL), 0);
	ASSERT_EQ(waitpid(helpers.front(), nullptr, 0), helpers.front());
	const auto opened = h.helper->open("/dev/hwrng", O_RDONLY);
	ASSERT_FALSE(opened);
	EXPECT_EQ(opened.error().code, ExitCode::io_error);
	EXPECT_NE(opened.error().message.find("has exited"), std::string::npos);
	EXPECT_EQ(poll(&watch, 1, 0), 1) << "end() shows it too";
}

TEST(Helper, CanBeStartedByTheServiceManager)
{
	FakeTree tree;
	tree.file("/dev/hwrng", "hwrng");
	EXPECT_FALSE(Helper::is_offered(tree.root()));
	tree.file("/run/other", "");
	const auto listener = listen_unix(tree.at("/run/hwrngd-helper").string(), SOCK_SEQPACKET);
	EXPECT_TRUE(Helper::is_offered(tree.root()));
	auto helper = Helper::connect(tree.root());
	ASSERT_TRUE(helper) << helper.error().message;
	const FileDescriptor connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
	ASSERT_TRUE(connection);
	const pid_t pid = fork(); // as hwrngd-helper@.service
	if (pid == 0) {
		helper->reset(); // only the daemon has the other end
		dup2(connection.get(), STDIN_FILENO);
		_exit(Helper::serve(tree.root(), hwrngctl_path) ? 0 : 1);
	}
	const auto fd = (*helper)->open("/dev/hwrng", O_RDONLY);
	ASSERT_TRUE(fd) << fd.error().message;
	EXPECT_EQ((*helper)->open("/run/other", O_RDONLY).error().code, ExitCode::not_permitted);
	helper->reset();
	int status = -1;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "it ends with its daemon";
}

/// As under PrivateDevices= and ProtectKernelTunables= of the unit.
TEST(Helper, OpensWhatTheUnitHides)
{
	if (geteuid() != 0 || !has_capability(Root(), CAP_SYS_ADMIN))
		GTEST_SKIP() << "needs root";
	const Helped h; // here, so that this process removes its folder, not the child
	EXPECT_EXIT(
	    {
		    h.tree.file("/dev/hwrng", "hwrng");
		    h.tree.hwrng("a b", "a");
		    Root root = h.tree.root();
		    const auto dev = h.tree.at("/dev");
		    const auto sys = h.tree.at("/sys");
		    const bool hidden =
		        unshare(CLONE_NEWNS) == 0 &&
		        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
		        mount("tmpfs", dev.c_str(), "tmpfs", 0, nullptr) == 0 &&
		        mount(sys.c_str(), sys.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
		        mount("none", sys.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
		    const std::string current = std::string(hw_random) + "/rng_current";
		    const bool alone = root.read("/dev/hwrng") || root.write(current, "b");
		    root.ask(h.helper);
		    const bool helped =
		        root.read_if_any("/dev/hwrng") == "hwrng" && root.write(current, "b");
		    umount2(dev.c_str(), MNT_DETACH);
		    umount2(sys.c_str(), MNT_DETACH);
		    _exit(!hidden ? 2 : (alone ? 3 : (helped ? 0 : 4)));
	    },
	    testing::ExitedWithCode(0), "");
}

TEST(Helper, FailsIfNoDaemonIsConnected)
{
	const pid_t pid = fork();
	if (pid == 0) {
		const FileDescriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
		if (!null || dup2(null.get(), STDIN_FILENO) < 0)
			_exit(2);
		const auto served = Helper::serve(Root(), hwrngctl_path);
		_exit(!served && served.error().code == ExitCode::usage ? 0 : 1);
	}
	int status = -1;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

} // namespace
