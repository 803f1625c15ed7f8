// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngctl as users run it, on fake machines made of files.
#include "aes_ctr.h"
#include "base/file_descriptor.h"
#include "control/inventory.h"
#include "fake_daemon.h"
#include "fake_tree.h"
#include "good_hwrng.h"
#include "paths.h"
#include "run_hwrngctl.h"
#include "samples.h"
#include "sockets.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

TEST(Hwrngctl, EachCommandsHelpHasItsOwnExamples)
{
	const FakeTree tree;
	for (const std::string command :
	     {"status", "list", "top", "doctor", "metrics", "policy", "select", "load", "unload",
	      "test", "bench", "assess", "feed", "check scs", "check openstack", "ssh-setup client",
	      "ssh-setup host"}) {
		const auto help = run(tree, command + " --help");
		EXPECT_EQ(help.code, 0) << command;
		EXPECT_NE(help.out.find("\nExamples:\n  hwrngctl " + command), std::string::npos)
		    << help.out;
	}
}

TEST(Hwrngctl, EachHelpFits80ColumnsWithoutTypeNames)
{
	const FakeTree tree;
	for (const std::string command : {"",
	                                  "status",
	                                  "list",
	                                  "top",
	                                  "doctor",
	                                  "metrics",
	                                  "policy",
	                                  "select",
	                                  "load",
	                                  "unload",
	                                  "test",
	                                  "bench",
	                                  "assess",
	                                  "feed",
	                                  "check",
	                                  "check scs",
	                                  "check openstack",
	                                  "ssh-serve",
	                                  "ssh-setup",
	                                  "ssh-setup client",
	                                  "ssh-setup host"}) {
		const auto help = run(tree, command + " --help");
		for (const char *type : {"UINT", "TEXT", "FLOAT", "REQUIRED", "Excludes"})
			EXPECT_EQ(help.out.find(type), std::string::npos) << help.out;
		std::istringstream lines(help.out);
		for (std::string line; std::getline(lines, line);) {
			EXPECT_LE(line.size(), 80U) << line;
			EXPECT_FALSE(line.ends_with(' ')) << command << ": " << line;
		}
	}
}

TEST(Hwrngctl, HelpNamesUnitRangeAndDefault)
{
	const FakeTree tree;
	const auto top = run(tree, "top --help").out;
	EXPECT_NE(top.find("  -d,--delay SECONDS        Seconds between two updates, 0.1 to 3600; "
	                   "default: 1\n"),
	          std::string::npos)
	    << top;
	const auto help = run(tree, "--help").out;
	EXPECT_NE(help.find("  -o,--output {text,json}   Print text"), std::string::npos) << help;
	const auto metrics = run(tree, "metrics --help").out;
	EXPECT_NE(metrics.find("; not with --listen\n"), std::string::npos) << metrics;
}

TEST(Hwrngctl, UsageErrorsAreCode2AndSayWhatIsWrong)
{
	struct Wrong {
		const char *arguments;
		const char *said;
	};
	FakeTree tree;
	for (const auto &[arguments, said] : {
	         Wrong{"", "a command is missing; the commands are: status, list"},
	         Wrong{"nonsense", "\"nonsense\" is not a command; the commands are: status, list"},
	         Wrong{"--nonsense", "\"--nonsense\" is not a command"},
	         Wrong{"status extra", "status: The following argument was not expected: extra"},
	         Wrong{"select", "select: HWRNG is required; see `hwrngctl select --help`"},
	         Wrong{"check scs --profile=x",
	               "check scs: --profile: x not in {v1,v1.1}; see `hwrngctl "
	               "check scs --help`"},
	         Wrong{"feed", "feed: --once is required"},
	         Wrong{"feed --once --bytes 0", "0 not in range 1 to 1048576"},
	         Wrong{"feed --once --bytes 99999999", "99999999 not in range"},
	         Wrong{"top --batch --count 1 --delay nan", "nan is not a number"},
	         Wrong{"bench --seconds nan", "nan is not a number"},
	         Wrong{"load usb", "usb not in {tpm,cpu,all}"},
	         Wrong{"test --blocks 0", "0 not in range 1 to 1000000000000"},
	         Wrong{"test --blocks -1", "-1 not in range"},
	         Wrong{"test --blocks many", "--blocks"},
	         Wrong{"test x --source y", "--source"},
	         Wrong{"status --output=xml", "xml not in {text,json}"},
	     }) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 2) << arguments;
		EXPECT_TRUE(ran.err.starts_with("hwrngctl: ")) << ran.err;
		EXPECT_NE(ran.err.find(said), std::string::npos) << ran.err;
		EXPECT_EQ(ran.out, "") << arguments;
	}
}

TEST(Hwrngctl, HelpAndVersionAreCode0)
{
	FakeTree tree;
	EXPECT_NE(run(tree, "--help").out.find("feed --once"), std::string::npos);
	EXPECT_EQ(run(tree, "--help").code, 0);
	EXPECT_TRUE(run(tree, "--version").out.starts_with("hwrngctl "));
}

TEST(Hwrngctl, TheOutputOptionIsAcceptedAnywhere)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0", "virtio_rng.0");
	for (const char *arguments :
	     {"--output=json status", "status --output=json", "status -o json"}) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 0) << ran.err;
		EXPECT_EQ(nlohmann::json::parse(ran.out)["hwrng"]["current"], "virtio_rng.0");
	}
}

TEST(Hwrngctl, UsageErrorsAreAlsoInTheJsonDocument)
{
	FakeTree tree;
	for (const char *arguments : {"--output=json nonsense", "status --nonsense --output=json",
	                              "-o json select", "test --blocks=0 -ojson"}) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 2) << arguments;
		ASSERT_TRUE(nlohmann::json::accept(ran.out)) << arguments << ": " << ran.out;
		EXPECT_EQ(nlohmann::json::parse(ran.out)["error"]["exit_code"], 2);
	}
	EXPECT_EQ(run(tree, "nonsense").out, "");
	EXPECT_EQ(run(tree, "nonsense --output=xml").out, "");
}

TEST(Hwrngctl, StatusOfAMachineWithoutSourcesIsNotAnError)
{
	FakeTree tree;
	const auto ran = run(tree, "status");
	EXPECT_EQ(ran.code, 0);
	EXPECT_NE(ran.out.find("No source was found"), std::string::npos);
	EXPECT_EQ(run(tree, "list").code, 3);
	EXPECT_EQ(run(tree, "feed --once --dry-run").code, 3);
}

TEST(Hwrngctl, SelectNonsenseListsWhatExists)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	const auto ran = run(tree, "select nonsense");
	EXPECT_EQ(ran.code, 3);
	EXPECT_NE(ran.err.find("virtio_rng.0, tpm_rng.0"), std::string::npos);
	const auto json = run(tree, "select nonsense --output=json");
	EXPECT_EQ(nlohmann::json::parse(json.out)["error"]["exit_code"], 3);
}

TEST(Hwrngctl, SelectRefusesTheSwitchThatCanHangAnOldKernel)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm-rng-0", "virtio_rng.0", false, "");
	EXPECT_EQ(run(tree, "select tpm-rng-0").code, 4);
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "virtio_rng.0\n");
	EXPECT_EQ(run(tree, "select --force tpm-rng-0").code, 0);
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "tpm-rng-0");
}

TEST(Hwrngctl, SelectPersistWritesWhatTheDaemonReads)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	const std::string file = "/etc/hwrngd.conf.d/zz-selected.conf";
	EXPECT_EQ(run(tree, "select nonsense --persist").code, 3);
	EXPECT_EQ(run(tree, "select none --persist").code, 2);
	EXPECT_EQ(tree.text(file), "");
	auto ran = run(tree, "select tpm_rng.0 --persist");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_NE(ran.out.find(tree.at(file).string()), std::string::npos) << ran.out;
	EXPECT_NE(ran.out.find("is not running"), std::string::npos) << ran.out;
	EXPECT_NE(tree.text(file).find("tpm_rng.0"), std::string::npos);
	EXPECT_EQ(nlohmann::json::parse(run(tree, "-ojson select auto --persist").out)["persistent"],
	          true);
	EXPECT_FALSE(tree.root().exists(file));
	EXPECT_EQ(run(tree, "select auto --persist").out,
	          "The kernel chooses (no choice was stored): rng_current is none\n");
}

volatile sig_atomic_t hangups = 0;

TEST(Hwrngctl, SelectPersistLetsTheDaemonKnow)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	tree.file("/run/hwrngd/lock", "");
	const auto daemon = listen_unix(tree.at("/run/hwrngd/status").string(), SOCK_STREAM);
	std::signal(SIGHUP, [](int) { hangups = hangups + 1; });
	const auto ran = run(tree, "select tpm_rng.0 --persist");
	std::signal(SIGHUP, SIG_DFL);
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_EQ(hangups, 1);
	EXPECT_EQ(ran.out.find("is not running"), std::string::npos) << ran.out;
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "tpm_rng.0");
}

TEST(Hwrngctl, SelectPersistReportsAChoiceThatIsNotKept)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	tree.file("/etc/hwrngd.conf.d/zzz.conf", "rng_current = \"leave\"\n");
	const auto ran = run(tree, "select tpm_rng.0 --persist");
	EXPECT_EQ(ran.code, 2);
	EXPECT_NE(ran.err.find("zzz.conf overrides "), std::string::npos) << ran.err;
	EXPECT_NE(ran.err.find("rng_current is tpm_rng.0, but only until the next boot"),
	          std::string::npos)
	    << ran.err;
}

TEST(Hwrngctl, TestOfAFileFollowsItsContents)
{
	FakeTree tree;
	good_hwrng(tree);
	auto ran = run(tree, "test --output=json " + tree.at("/dev/hwrng").string());
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_EQ(nlohmann::json::parse(ran.out)["fips"]["blocks"], 32);
	tree.file("/zeros", std::string(100000, '\0'));
	ran = run(tree, "test " + tree.at("/zeros").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.out.find("UNHEALTHY"), std::string::npos);
	tree.file("/short", std::string(2503, 'x'));
	ran = run(tree, "test " + tree.at("/short").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("2503 bytes are too few"), std::string::npos);
	EXPECT_EQ(run(tree, "test /nonexistent/file").code, 5);
	EXPECT_EQ(run(tree, "test -").code, 1); // standard input is empty here
}

TEST(Hwrngctl, AMissingFileThatWasNamedIsAnInputOutputError)
{
	FakeTree tree;
	good_hwrng(tree);
	const auto missing = tree.at("/missing/file").string();
	for (const auto *arguments : {"test ", "assess ", "metrics --textfile "}) {
		const auto ran = run(tree, arguments + missing);
		EXPECT_EQ(ran.code, 5) << arguments << ran.err;
		EXPECT_NE(ran.err.find(missing), std::string::npos) << arguments << ran.err;
	}
	std::string bits;
	for (uint32_t i = 0; i < 20'000; i++)
		bits += static_cast<char>(i * 2654435761U >> 20U & 1U);
	tree.file("/bits", bits);
	const auto samples = tree.at("/bits").string();
	auto ran = run(tree, "assess --bits 1 " + samples + " --restart " + missing);
	EXPECT_EQ(ran.code, 5) << ran.err;
	EXPECT_NE(ran.err.find(missing), std::string::npos) << ran.err;
	ran = run(tree, "assess --bits 1 " + samples + " --html " + missing);
	EXPECT_EQ(ran.code, 5) << ran.err;
	EXPECT_NE(ran.err.find(missing), std::string::npos) << ran.err;
}

TEST(Hwrngctl, AMissingDeviceOfASourceIsAMissingSource)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0", "virtio_rng.0");
	EXPECT_EQ(run(tree, "test --source virtio_rng.0").code, 3);
	EXPECT_EQ(run(tree, "assess --source virtio_rng.0").code, 3);
	EXPECT_EQ(run(tree, "bench --source virtio_rng.0").code, 3);
	EXPECT_EQ(run(tree, "feed --once --dry-run --source virtio_rng.0").code, 3);
	const FakeTree without_framework;
	EXPECT_EQ(run(without_framework, "select auto").code, 3);
}

TEST(Hwrngctl, DryRunTestsAndFeedsNothing)
{
	FakeTree tree;
	good_hwrng(tree);
	const auto ran = run(tree, "feed --once --dry-run --bytes 3000 --output=json");
	ASSERT_EQ(ran.code, 0) << ran.err;
	const auto document = nlohmann::json::parse(ran.out);
	EXPECT_EQ(document["source"], "virtio_rng.0");
	EXPECT_EQ(document["fips"]["blocks"], 2);
	EXPECT_EQ(document["bytes"], 0);
	EXPECT_EQ(document["credited_bits"], 0);
	EXPECT_EQ(document["would_credit_bits"], 3000 * 8 * 1000 / 1024 / 2);
}

TEST(Hwrngctl, FeedTestsAgainBeforeItRefuses)
{
	// A FIFO, because a file would return the same bytes again.
	const auto feed = [](size_t bad_until) {
		FakeTree tree;
		tree.hwrng("virtio_rng.0", "virtio_rng.0");
		const auto fifo = tree.at("/fifo").string();
		EXPECT_EQ(mkfifo(fifo.c_str(), 0600), 0);
		tree.symlink("/dev/hwrng", fifo);
		const FileDescriptor fd(open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
		auto bytes = stream(20000);
		for (size_t at = 500; at < bad_until; at += 500)
			std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), 100, 0);
		EXPECT_EQ(write(fd.get(), bytes.data(), bytes.size()), 20000);
		return run(tree, "feed --once --dry-run").code;
	};
	EXPECT_EQ(feed(1500), 0) << "one bad block, then good ones";
	EXPECT_EQ(feed(20000), 1) << "all are bad";
}

TEST(Hwrngctl, FeedIsRefusedWithoutTheCapability)
{
	FakeTree tree;
	good_hwrng(tree);
	tree.file("/proc/self/status", "CapEff:\t0000000000000000\n");
	const auto ran = run(tree, "feed --once");
	EXPECT_EQ(ran.code, 4);
	EXPECT_NE(ran.err.find("CAP_SYS_ADMIN"), std::string::npos);
}

TEST(Hwrngctl, AnUnhealthyNamedSourceIsCode1AndTheChoiceIsRestored)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0", true, "1000");
	tree.file("/dev/hwrng", std::string(100000, '\0'));
	const auto ran = run(tree, "feed --once --dry-run --source tpm_rng.0");
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("unhealthy"), std::string::npos);
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "virtio_rng.0");
}

TEST(Hwrngctl, AProbeKeepsAChoiceThatWasMadeMeanwhile)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0 other", "virtio_rng.0", true);
	ASSERT_EQ(mkfifo(tree.at("/dev-hwrng").c_str(), 0600), 0);
	tree.symlink("/dev/hwrng", tree.at("/dev-hwrng").string());
	// The probe blocks in the FIFO. Then another RNG is selected, and then the bytes arrive.
	const auto fifo = tree.at("/dev-hwrng").string();
	const auto current = tree.at(std::string(hw_random) + "/rng_current").string();
	const auto feeder = "{ exec 3<>" + fifo + "; for i in $(seq 400); do grep -q tpm " + current +
	                    " && break; sleep 0.02; done; sleep 0.2; echo other >" + current +
	                    "; head -c 5068 /dev/urandom >&3; sleep 1; } &";
	ASSERT_EQ(std::system(feeder.c_str()), 0); // NOLINT: a second process
	const auto ran = run(tree, "test --blocks 1 --source tpm_rng.0");
	EXPECT_NE(ran.code, -1);
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "other\n");
}

TEST(Hwrngctl, LostOutputIsAnError)
{
	FakeTree tree;
	const auto ran = run(tree, "status", "/dev/full");
	EXPECT_EQ(ran.code, 5);
	EXPECT_NE(ran.err.find("standard output"), std::string::npos);
}

TEST(Hwrngctl, ADaemonThatAnswersNonsenseIsNotUp)
{
	FakeTree tree;
	tree.file("/metrics.prom", "hwrngd_up 1\n");
	const FakeDaemon daemon(tree, "[]");
	const auto ran = run(tree, "metrics --textfile " + tree.at("/metrics.prom").string());
	EXPECT_EQ(ran.code, 69);
	EXPECT_NE(tree.text("/metrics.prom").find("\nhwrngd_up 0\n"), std::string::npos);
}

TEST(Hwrngctl, StatusDistinguishesAProbeFromAChoice)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "tpm_rng.0", true);
	EXPECT_NE(run(tree, "status").out.find("tpm_rng.0, chosen by an administrator"),
	          std::string::npos);
	tree.file("/run/hwrngd/probe", "tpm_rng.0\nvirtio_rng.0\n0\n0\n");
	EXPECT_NE(
	    run(tree, "status").out.find("tpm_rng.0, while it is probed, in place of virtio_rng.0"),
	    std::string::npos);
	const auto document = nlohmann::json::parse(run(tree, "status --output=json").out);
	EXPECT_EQ(document.at("hwrng").at("in_place_of"), "virtio_rng.0");
}

TEST(Hwrngctl, StatusAndListReplaceControlCharacters)
{
	FakeTree tree;
	tree.hwrng("virt\033[31mio", "virt\033[31mio");
	for (const char *command : {"status", "list"}) {
		const auto ran = run(tree, command);
		EXPECT_NE(ran.out.find("virt?[31mio"), std::string::npos) << ran.out;
		EXPECT_EQ(ran.out.find('\033'), std::string::npos) << ran.out;
	}
}

TEST(Hwrngctl, StatusContinuesWhateverTheDaemonAnswers)
{
	for (const std::string nonsense : {"{", "[]", "7", R"({"schema":2})"}) {
		FakeTree tree;
		const FakeDaemon daemon(tree, nonsense);
		const auto ran = run(tree, "status");
		EXPECT_EQ(ran.code, 69) << nonsense;
		EXPECT_NE(ran.err.find("has a format that this version does not know"), std::string::npos)
		    << nonsense << ": " << ran.err;
		EXPECT_NE(ran.out.find("\nDaemon      hwrngd did not answer"), std::string::npos)
		    << ran.out;
		EXPECT_NE(ran.out.find("\nThe CRNG is "), std::string::npos) << ran.out;
	}
	FakeTree silent;
	const FakeDaemon nothing(silent, "");
	EXPECT_NE(run(silent, "status").err.find("hwrngd closed the connection"), std::string::npos);
	FakeTree tree;
	const FakeDaemon daemon(tree, R"({"schema":1,"pid":7,"egd":null})");
	const auto ran = run(tree, "status");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_NE(ran.out.find("\nDaemon      hwrngd ? (pid 7), "), std::string::npos) << ran.out;
}

TEST(Hwrngctl, StatusThatWasStoppedStillGetsTheDaemonsAnswer)
{
	FakeTree tree;
	const FakeDaemon daemon(tree, R"({"schema":1})", std::chrono::milliseconds(800));
	const auto program = "'" + std::string(hwrngctl_path) + "' --root=" + tree.at("/").string();
	const auto command =
	    program + " status >/dev/null & sleep 0.3; kill -STOP $!; kill -CONT $!; wait $!";
	const int status = std::system(command.c_str()); // NOLINT: a second process
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Hwrngctl, LoadSaysWhatIsMissing)
{
	FakeTree tree;
	auto ran = run(tree, "load tpm");
	EXPECT_EQ(ran.code, 3);
	EXPECT_NE(ran.err.find("no TPM"), std::string::npos);
	ran = run(tree, "load cpu");
	EXPECT_EQ(ran.code, 69);
	EXPECT_NE(ran.err.find("CONFIG_MODULES"), std::string::npos);
	tree.hwrng("tpm-rng-0", "tpm-rng-0");
	tree.file("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	ran = run(tree, "load tpm");
	EXPECT_EQ(ran.code, 0);
	EXPECT_NE(ran.out.find("already serves tpm0 as tpm-rng-0"), std::string::npos);
}

/// A machine on which tpm_rng is loaded and tests its TPM.
std::string testing_machine(FakeTree &tree, const std::string &state = "start-up\n")
{
	tree.hwrng("virtio_rng.0", "virtio_rng.0");
	tree.file("/proc/modules", "");
	tree.file("/proc/sys/kernel/osrelease", "6.12.0\n");
	tree.file("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	std::string file = "/sys/module/tpm_rng/tpm_rng.0/state";
	tree.file(file, state);
	return file;
}

TEST(Hwrngctl, LoadSaysWhatItsSourcesWaitFor)
{
	FakeTree tree;
	const auto file = testing_machine(tree);
	const auto said = [&](const char *state) {
		tree.file(file, std::string(state) + "\n");
		const auto ran = run(tree, "load tpm --no-wait");
		EXPECT_EQ(ran.code, 0) << ran.err;
		return ran.out;
	};
	EXPECT_TRUE(said("start-up")
	                .contains("tpm_rng: already loaded: tpm_rng.0 is still being tested; see " +
	                          file + "\n"));
	EXPECT_TRUE(said("healthy").contains("tpm_rng.0 is still being tested"));
	EXPECT_TRUE(said("failed").contains("tpm_rng.0 failed its test and is tested again; see"));
	EXPECT_TRUE(said("back-off").contains("tpm_rng.0 returns no data and is asked again later"));
	EXPECT_TRUE(said("starved").contains("tpm_rng.0 is starved by other users"));
	EXPECT_TRUE(said("unregistered").contains("tpm_rng.0 was refused by the kernel's hwrng"));
	EXPECT_TRUE(said("withdrawn").contains("`echo start-up >" + file + "` tests it again"));
	EXPECT_TRUE(said("new").contains("tpm_rng.0 is not a hwrng: its state is \"new\""));
	const auto document = nlohmann::json::parse(run(tree, "load tpm --no-wait -o json").out);
	EXPECT_EQ(document["modules"][0]["pending"][0]["name"], "tpm_rng.0");
	EXPECT_EQ(document["modules"][0]["pending"][0]["state"], "new");
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	EXPECT_TRUE(said("healthy").contains("tpm_rng: already loaded\n"));
}

TEST(Hwrngctl, LoadWaitsForTheTestOfItsSources)
{
	FakeTree tree;
	const auto file = testing_machine(tree);
	const auto program = "'" + std::string(hwrngctl_path) + "' --root=" + tree.at("/").string();
	const auto while_it_waits = [&](const std::string &text, const std::string &name) {
		// Like sysfs, never shows half a value.
		const auto path = tree.at(name).string();
		const auto change = fmt::format("echo {0} >{1}.new; mv {1}.new {1}", text, path);
		const auto begin = std::chrono::steady_clock::now();
		const auto command = program + " load tpm >" + tree.at("/stdout").string() +
		                     " & sleep 0.5; " + change + "; wait $!";
		const int status = std::system(command.c_str()); // NOLINT: a second process
		EXPECT_EQ(WEXITSTATUS(status), 0);
		EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
		return tree.text("/stdout");
	};
	EXPECT_EQ(while_it_waits("virtio_rng.0 tpm_rng.0", std::string(hw_random) + "/rng_available"),
	          "tpm_rng: already loaded: new hwrng: tpm_rng.0\nrng_current is virtio_rng.0\n");
	testing_machine(tree);
	EXPECT_TRUE(while_it_waits("failed", file).contains("tpm_rng.0 failed its test and is tested"));
	// The wait ends, however long the test takes.
	testing_machine(tree);
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_TRUE(run(tree, "load tpm").out.contains("tpm_rng.0 is still being tested"));
	const auto took = std::chrono::steady_clock::now() - begin;
	EXPECT_GE(took, std::chrono::seconds(9));
	EXPECT_LT(took, std::chrono::seconds(15));
}

TEST(Hwrngctl, LoadPersistLoadsAtEveryBootUntilUnloadPersist)
{
	FakeTree tree;
	testing_machine(tree);
	tree.file("/sys/module/cpu_rng/refcnt", "0\n");
	const std::string file = "/etc/modules-load.d/hwrngd-cpu_rng.conf";
	auto ran = run(tree, "load cpu --persist");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("cpu_rng: already loaded: " + tree.at(file).string() +
	                             " loads it at every boot\n"))
	    << ran.out;
	EXPECT_EQ(tree.text(file), "# Written by `hwrngctl load cpu --persist`; `hwrngctl unload cpu "
	                           "--persist` removes it.\ncpu_rng\n");
	EXPECT_FALSE(tree.root().exists("/etc/modules-load.d/hwrngd-tpm_rng.conf"));
	std::filesystem::remove_all(tree.at("/sys/module/cpu_rng"));
	EXPECT_TRUE(run(tree, "unload cpu").out.contains("nothing to do\n"));
	EXPECT_TRUE(tree.root().exists(file));
	ran = run(tree, "unload cpu --persist");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("nothing to do; removed " + tree.at(file).string())) << ran.out;
	EXPECT_FALSE(tree.root().exists(file));
	EXPECT_TRUE(run(tree, "unload cpu --persist").out.contains("there is no "));
	// A module that cannot be loaded is not loaded at boot either.
	EXPECT_NE(run(tree, "load cpu --persist").code, 0);
	EXPECT_FALSE(tree.root().exists(file));
	// The file cannot be written.
	tree.file("/sys/module/cpu_rng/refcnt", "0\n");
	tree.file(file + "/in the way", "");
	EXPECT_NE(run(tree, "load cpu --persist").code, 0);
}

TEST(Hwrngctl, LoadSaysThatACpuIsNotTrusted)
{
	FakeTree tree;
	testing_machine(tree);
	tree.file("/sys/module/cpu_rng/refcnt", "0\n");
	std::ifstream real("/proc/cpuinfo");
	tree.file("/proc/cpuinfo", {std::istreambuf_iterator<char>(real), {}});
	if (take_inventory(tree.root(), {}).cpu_instructions.empty())
		GTEST_SKIP() << "this CPU has no random instruction";
	EXPECT_TRUE(run(tree, "load cpu").out.contains("cpu_rng: already loaded\n"));
	tree.file("/proc/cmdline", "random.trust_cpu=off\n");
	auto ran = run(tree, "load cpu");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("hwrngd does not credit it: the kernel was booted with "
	                             "random.trust_cpu=off"))
	    << ran.out;
	EXPECT_TRUE(ran.out.contains("to credit it, set `credit` in [source.\"cpu_rng.*\"] of "
	                             "/etc/hwrngd.conf"))
	    << ran.out;
	tree.file("/etc/hwrngd.conf", "[source.\"cpu_rng.*\"]\ncredit = 100\n");
	EXPECT_TRUE(run(tree, "load cpu").out.contains("cpu_rng: already loaded\n"));
}

TEST(Hwrngctl, StatusShowsSourcesThatServeNoData)
{
	FakeTree tree;
	const auto file = testing_machine(tree);
	auto ran = run(tree, "status");
	EXPECT_TRUE(ran.out.contains("tpm0 (TPM 2.0), not a hwrng yet (see below)\n")) << ran.out;
	EXPECT_TRUE(ran.out.contains("\ntpm_rng.0 is still being tested; see " + file)) << ran.out;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	tree.file(file, "failed\n");
	ran = run(tree, "status");
	EXPECT_FALSE(ran.out.contains("tpm_rng.0 failed")) << "the daemon's state of it says more";
	tree.file(file, "withdrawn\n");
	ran = run(tree, "status");
	EXPECT_TRUE(ran.out.contains("\ntpm_rng.0 failed its tests again and again")) << ran.out;
	const auto status = nlohmann::json::parse(run(tree, "status -o json").out);
	EXPECT_EQ(status["modules"][0]["sources"][0]["name"], "tpm_rng.0");
	EXPECT_EQ(status["modules"][0]["sources"][0]["state"], "withdrawn");
	EXPECT_TRUE(status["modules"][1]["sources"].empty());
	ran = run(tree, "doctor");
	EXPECT_TRUE(ran.out.contains("[hwrng-withdrawn]")) << ran.out;
	EXPECT_TRUE(ran.out.contains("echo start-up >" + file)) << ran.out;
}

} // namespace
