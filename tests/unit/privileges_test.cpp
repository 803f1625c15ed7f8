// SPDX-License-Identifier: GPL-2.0-or-later
// Privileges cannot be regained after they are dropped, so each test runs in its own process.
#include "base/privileges.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

/// Ends the process with status 0 if `good`.
void finish(bool good)
{
	_exit(good ? 0 : 1);
}

std::string status_line(const std::string &key)
{
	const auto text = *Root().read("/proc/self/status");
	const auto at = text.find(key + ":\t") + key.size() + 2;
	return text.substr(at, text.find('\n', at) - at);
}

TEST(Privileges, AnUnknownUserIsNotAnError)
{
	EXPECT_EQ(*find_user("nobody of that name"), std::nullopt);
	EXPECT_EQ((*find_user("root"))->uid, 0U);
}

TEST(Privileges, NoCapabilityIsLeft)
{
	EXPECT_EXIT(
	    {
		    const auto done = give_up_rights({}, {});
		    finish(done && status_line("CapEff") == "0000000000000000" &&
		           status_line("CapPrm") == "0000000000000000");
	    },
	    testing::ExitedWithCode(0), "");
}

TEST(Privileges, RootBecomesAnotherUserAndKeepsOneCapability)
{
	if (geteuid() != 0 || !has_capability(Root(), CAP_SYS_CHROOT))
		GTEST_SKIP() << "needs root";
	EXPECT_EXIT(
	    {
		    const auto done = give_up_rights(User{.uid = 65534, .gid = 65534},
		                                     {.capabilities = {CAP_SYS_CHROOT}});
		    finish(done && status_line("CapEff") == "0000000000040000" &&
		           status_line("CapPrm") == "0000000000040000" &&
		           status_line("CapBnd") == "0000000000000000" && getuid() == 65534 &&
		           getegid() == 65534 && setuid(0) != 0);
	    },
	    testing::ExitedWithCode(0), "");
}

TEST(Privileges, ExecveGainsNothing)
{
	EXPECT_EXIT(
	    {
		    const auto done = forbid_gaining_rights();
		    finish(done && status_line("NoNewPrivs") == "1");
	    },
	    testing::ExitedWithCode(0), "");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// Runs `what` behind the filter and ends the process with its result.
void filtered(const std::function<bool()> &what)
{
	if (!forbid_gaining_rights() || !filter_system_calls())
		_exit(2);
	finish(what());
}

TEST(SystemCalls, TheDaemonsOwnCallsAreAllowed)
{
	EXPECT_EXIT(
	    filtered([] {
		    std::thread([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }).join();
		    std::array<int, 2> ends{};
		    char byte = 0;
		    const int pool = open("/dev/random", O_RDONLY | O_CLOEXEC);
		    // Without an argument the kernel's pool refuses it, but the filter does not.
		    const bool asked = ioctl(pool, RNDADDENTROPY, nullptr) < 0 && errno != ENOSYS;
		    return Root().exists("/proc") && Root().read("/proc/self/comm") &&
		           getrandom(&byte, 1, 0) == 1 && asked &&
		           socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0;
	    }),
	    testing::ExitedWithCode(0), "");
}

TEST(SystemCalls, UnneededCallsFail)
{
	EXPECT_EXIT(filtered([] {
		            const bool internet = socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != ENOSYS;
		            const bool terminal = ioctl(0, TIOCSTI, "x") >= 0 || errno != ENOSYS;
		            return !internet && !terminal && chown("/", 0, 0) < 0 && errno == ENOSYS;
	            }),
	            testing::ExitedWithCode(0), "");
}

TEST(SystemCalls, AnIntruderEndsTheProcess)
{
	EXPECT_EXIT(filtered([] { return execl("/bin/true", "true", nullptr) == 0; }),
	            testing::KilledBySignal(SIGSYS), "");
	EXPECT_EXIT(filtered([] { return unshare(CLONE_NEWUSER) == 0; }),
	            testing::KilledBySignal(SIGSYS), "");
	EXPECT_EXIT(filtered([] { return setuid(0) == 0; }), testing::KilledBySignal(SIGSYS), "");
}
#endif

} // namespace
