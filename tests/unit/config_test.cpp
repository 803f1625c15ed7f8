// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/config.h"

#include "fake_tree.h"
#include "paths.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// The error message for a configuration, without the folder of the tree.
std::string refused(const std::string &text)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", text);
	const auto config = read_config(tree.root());
	EXPECT_FALSE(config) << text;
	if (config)
		return "";
	EXPECT_EQ(config.error().code, ExitCode::usage);
	const auto &message = config.error().message;
	return message.substr(message.find("/etc/"));
}

TEST(Config, NoFileIsNoError)
{
	const FakeTree tree;
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config);
	EXPECT_EQ(config->source("tpm_rng.0").assessed, std::nullopt);
}

TEST(Config, TheLastFileDecides)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf",
	          "# nothing\n[source.\"tpm_rng.0\"]\nassessed = 100\n[source.rdrand]\nassessed = 0\n");
	tree.file("/etc/hwrngd.conf.d/b.conf", "[source.\"tpm_rng.0\"]\nassessed = 300\n");
	tree.file("/etc/hwrngd.conf.d/a.conf", "[source.\"tpm_rng.0\"]\nassessed = 200\n");
	tree.file("/etc/hwrngd.conf.d/c.conf.dpkg-old", "nonsense");
	tree.file("/etc/hwrngd.conf.d/.c.conf", "nonsense");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->source("tpm_rng.0").assessed, 300);
	EXPECT_EQ(config->source("rdrand").assessed, 0);
	EXPECT_EQ(config->source("rdseed").assessed, std::nullopt);
}

TEST(Config, WhatIsWrongIsNamedWithItsLine)
{
	EXPECT_TRUE(refused("\n[sources.x]\n")
	                .starts_with("/etc/hwrngd.conf, line 2: unknown key \"sources\"; did you mean "
	                             "\"source\"? Known keys: reseed_interval, "));
	EXPECT_EQ(
	    refused("[source.x]\n\nasessed = 1\n"),
	    "/etc/hwrngd.conf, line 3: unknown key \"asessed\"; did you mean \"assessed\"? Known "
	    "keys: credit, assessed, path, speed, command, egd, ssh, tls_ca, tls_certificate, tls_key, "
	    "identity, known_hosts");
	EXPECT_EQ(refused("[source]\nx = 1\n"),
	          "/etc/hwrngd.conf, line 2: source.x is not a table: write its keys below "
	          "[source.\"x\"]");
	for (const char *value : {"-1", "1025", "0.5", "\"512\"", "true"})
		EXPECT_EQ(refused(std::string("[source.x]\nassessed = ") + value + "\n"),
		          "/etc/hwrngd.conf, line 2: assessed: give a whole number of bits in 1024, 0 to "
		          "1024")
		    << value;
	EXPECT_TRUE(refused("[source.x\n").starts_with("/etc/hwrngd.conf, line 1: "));
}

TEST(Config, OfSeveralErrorsTheFirstIsNamed)
{
	EXPECT_EQ(refused("deny = 1\nfeed_bytes = 0\nsurprise = 1\n"),
	          "/etc/hwrngd.conf, line 2: feed_bytes: give a whole number of bytes, 1 to 65536");
	EXPECT_EQ(refused("[source.a]\ncredit = -1\n[source.b]\nassessed = -1\n"),
	          "/etc/hwrngd.conf, line 2: credit: give a whole number of bits in 1024, 0 to 1024");
}

TEST(Config, AnUnreadableFileIsNotPassedOver)
{
	FakeTree tree;
	std::filesystem::create_directories(tree.at("/etc/hwrngd.conf"));
	EXPECT_FALSE(read_config(tree.root()));
}

TEST(Config, WhatWasAssessedIsWrittenAndRead)
{
	FakeTree tree;
	const auto path = write_assessed(tree.root(), "a \"b\"/c.0", 512);
	ASSERT_TRUE(path) << path.error().message;
	EXPECT_EQ(*path, tree.at("/etc/hwrngd.conf.d/assessed-a_\"b\"_c.0.conf"));
	ASSERT_TRUE(write_assessed(tree.root(), "rdseed", 0));
	ASSERT_TRUE(write_assessed(tree.root(), "rdseed", 800));
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->source("a \"b\"/c.0").assessed, 512);
	EXPECT_EQ(config->source("rdseed").assessed, 800);
}

TEST(Config, WhatWasSelectedIsWrittenReadAndForgotten)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", "prefer = [\"b\"]\n");
	EXPECT_EQ(*remove_selected(tree.root()), false);
	for (const char *name : {"a", "x*[1]\\"}) {
		const auto path = write_selected(tree.root(), name);
		ASSERT_TRUE(path) << path.error().message;
		EXPECT_EQ(*path, tree.at("/etc/hwrngd.conf.d/zz-selected.conf"));
		const auto config = read_config(tree.root());
		ASSERT_TRUE(config) << config.error().message;
		EXPECT_EQ(config->rng_current, Hold::hold);
		ASSERT_EQ(config->prefer.size(), 1U);
		EXPECT_TRUE(matches(config->prefer[0], name));
	}
	EXPECT_FALSE(matches(read_config(tree.root())->prefer[0], "xx1"));
	EXPECT_EQ(*remove_selected(tree.root()), true);
	EXPECT_EQ(read_config(tree.root())->prefer, std::vector<std::string>{"b"});
}

TEST(Config, WhatALaterFileOverridesIsNotSelected)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf.d/zzz.conf", "feed_bytes = 1\n");
	EXPECT_TRUE(write_selected(tree.root(), "a"));
	for (const char *text : {"prefer = [\"b\"]\n", "rng_current = \"leave\"\n"}) {
		tree.file("/etc/hwrngd.conf.d/zzz.conf", text);
		const auto refused = write_selected(tree.root(), "b");
		ASSERT_FALSE(refused);
		EXPECT_TRUE(
		    refused.error().message.starts_with(tree.at("/etc/hwrngd.conf.d/zzz.conf").string()));
	}
	tree.file("/etc/hwrngd.conf.d/zzz.conf", "nonsense");
	EXPECT_EQ(write_selected(tree.root(), "b").error().code, ExitCode::usage);
	EXPECT_NE(tree.text("/etc/hwrngd.conf.d/zz-selected.conf").find("'a'"), std::string::npos);
}

/// The lines of the installed file that begin with a # and no space must be the defaults.
TEST(Config, TheFileThatIsInstalledHasTheDefaults)
{
	std::ifstream installed(hwrngd_conf_path);
	std::string active;
	std::string line;
	size_t shown = 0;
	while (std::getline(installed, line)) {
		EXPECT_TRUE(line.empty() || line.starts_with('#')) << line;
		if (line.starts_with('#') && !line.starts_with("# ") && line != "#") {
			active += line.substr(1) + "\n";
			shown++;
		}
	}
	EXPECT_EQ(shown, 20U);
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", active);
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	const Config defaults;
	EXPECT_EQ(config->reseed_interval, defaults.reseed_interval);
	EXPECT_EQ(config->feed_bytes, defaults.feed_bytes);
	EXPECT_EQ(config->prefer, defaults.prefer);
	EXPECT_EQ(config->deny, defaults.deny);
	EXPECT_EQ(config->rng_current, defaults.rng_current);
	EXPECT_EQ(config->probe_interval, defaults.probe_interval);
	EXPECT_EQ(config->modules, defaults.modules);
	EXPECT_EQ(config->status_socket, defaults.status_socket);
	EXPECT_EQ(config->user, defaults.user);
	EXPECT_EQ(config->egd.listen, defaults.egd.listen);
	EXPECT_EQ(config->egd.max_clients, defaults.egd.max_clients);
	EXPECT_EQ(config->egd.max_clients_per_address, defaults.egd.max_clients_per_address);
	EXPECT_EQ(config->egd.bytes_per_second, defaults.egd.bytes_per_second);
	EXPECT_EQ(config->egd.total_bytes_per_second, defaults.egd.total_bytes_per_second);
	EXPECT_EQ(config->egd.idle_seconds, defaults.egd.idle_seconds);
	EXPECT_EQ(config->egd.plaintext, defaults.egd.plaintext);
	EXPECT_EQ(config->egd.tls_certificate, defaults.egd.tls_certificate);
	EXPECT_EQ(config->egd.tls_key, defaults.egd.tls_key);
	EXPECT_EQ(config->egd.tls_client_ca, defaults.egd.tls_client_ca);
}

TEST(Config, WhatCannotBeWrittenIsTold)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf.d/assessed-x.conf/in the way", "");
	EXPECT_FALSE(write_assessed(tree.root(), "x", 512));
	tree.file("/etc/hwrngd.conf.d/zz-selected.conf/in the way", "");
	EXPECT_FALSE(write_selected(tree.root(), "x"));
	EXPECT_FALSE(remove_selected(tree.root()));
	FakeTree other;
	other.file("/etc", "in the way");
	const auto written = write_assessed(other.root(), "x", 512);
	ASSERT_FALSE(written);
	EXPECT_TRUE(written.error().message.starts_with(other.at("/etc/hwrngd.conf.d").string()));
}

TEST(Config, EveryKeyIsRead)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", R"(
reseed_interval = 0.5
feed_bytes = 64
rng_current = "hold"
probe_interval = 0
prefer = ["tpm_rng.*", "[av]*", 'a\*']
deny = []
modules = ["cpu_rng", "tpm_rng"]
status_socket = ""
fill_watermark = 1000
user = "somebody"
)");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->reseed_interval, std::chrono::milliseconds(500));
	EXPECT_EQ(config->feed_bytes, 64U);
	EXPECT_EQ(config->rng_current, Hold::hold);
	EXPECT_EQ(config->probe_interval.count(), 0);
	EXPECT_EQ(config->prefer, (std::vector<std::string>{"tpm_rng.*", "[av]*", "a\\*"}));
	EXPECT_EQ(config->modules, (std::vector<std::string>{"cpu_rng", "tpm_rng"}));
	EXPECT_EQ(config->status_socket, "");
	EXPECT_EQ(config->fill_watermark, 1000U);
	EXPECT_EQ(config->user, "somebody");
}

TEST(Config, EgdIsReadKeyByKey)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", R"(
[egd]
listen = ["unix:/run/hwrngd/egd", "tcp:127.0.0.1:8888", "tcp:[::]:8888"]
max_clients = 10
max_clients_per_address = 5
bytes_per_second = 0
total_bytes_per_second = 1000
idle_seconds = 2.5
)");
	tree.file("/etc/hwrngd.conf.d/trusted.conf", "[egd]\nplaintext = true\nmax_clients = 20\n");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->egd.listen.size(), 3U);
	EXPECT_EQ(config->egd.max_clients, 20U);
	EXPECT_EQ(config->egd.max_clients_per_address, 5U);
	EXPECT_EQ(config->egd.bytes_per_second, 0U);
	EXPECT_EQ(config->egd.total_bytes_per_second, 1000U);
	EXPECT_EQ(config->egd.idle_seconds, std::chrono::milliseconds(2500));
	EXPECT_TRUE(config->egd.plaintext);
}

TEST(Config, WrongEgdIsNamed)
{
	const auto wrong = [](const std::string &text) {
		const auto message = refused("[egd]\n" + text);
		return message.substr(message.find(": ") + 2);
	};
	EXPECT_EQ(refused("egd = 1"),
	          "/etc/hwrngd.conf, line 1: egd is not a table: write its keys below [egd]");
	EXPECT_EQ(wrong("listen = [\"8888\"]"),
	          "listen: \"8888\" is not unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT");
	EXPECT_EQ(wrong("max_clients = 0"), "max_clients: give a whole number of clients, 1 to 100000");
	EXPECT_EQ(wrong("idle_seconds = 0.5"),
	          "idle_seconds: give seconds, 1 to 86400, or 0 for never");
	EXPECT_EQ(wrong("plaintext = 1"), "plaintext: give true or false");
	EXPECT_TRUE(
	    wrong("plain = true").starts_with("unknown key \"plain\"; did you mean \"plaintext\"?"));
}

TEST(Config, OtherMachinesAreServedInPlaintextOnlyIfThatIsSaid)
{
	for (const char *address : {"tcp:0.0.0.0:8888", "tcp:[::]:1", "tcp:192.0.2.1:8888"}) {
		FakeTree tree;
		const auto listen = std::string("[egd]\nlisten = [\"unix:/a\", \"") + address + "\"]\n";
		tree.file("/etc/hwrngd.conf", listen);
		const auto config = read_config(tree.root());
		ASSERT_FALSE(config);
		EXPECT_EQ(config.error().code, ExitCode::usage);
		EXPECT_TRUE(config.error().message.starts_with(
		    std::string("egd.listen: ") + address + " serves other machines without encryption"));
		EXPECT_NE(config.error().message.find("plaintext = true"), std::string::npos);
		tree.file("/etc/hwrngd.conf", listen + "plaintext = true\n");
		EXPECT_TRUE(read_config(tree.root()));
	}
	FakeTree tls;
	std::string text = "[egd]\nlisten = [\"tls:[::]:8889\"]\n";
	for (const char *key : {"tls_certificate", "tls_key", "tls_client_ca"}) {
		tls.file("/etc/hwrngd.conf", text);
		const auto config = read_config(tls.root());
		ASSERT_FALSE(config);
		EXPECT_EQ(config.error().message,
		          "egd.listen: tls:[::]:8889 needs tls_certificate, tls_key and tls_client_ca");
		text += std::string(key) + " = \"/etc/x.pem\"\n";
	}
	tls.file("/etc/hwrngd.conf", text);
	EXPECT_TRUE(read_config(tls.root()));
	FakeTree local;
	local.file("/etc/hwrngd.conf",
	           "[egd]\nlisten = [\"unix:/a\", \"tcp:127.0.0.1:1\", \"tcp:[::1]:1\"]\n");
	EXPECT_TRUE(read_config(local.root()));
}

TEST(Config, WrongValuesAreNamed)
{
	const auto wrong = [](const std::string &text) {
		const auto message = refused(text);
		return message.substr(message.find(": ") + 2);
	};
	for (const char *value : {"0", "-1", "100000", "\"60\"", "true", "nan"})
		EXPECT_EQ(wrong(std::string("reseed_interval = ") + value),
		          "reseed_interval: give seconds, 0.01 to 86400");
	EXPECT_EQ(wrong("probe_interval = 0.5"),
	          "probe_interval: give seconds, 1 to 86400, or 0 for never");
	EXPECT_EQ(wrong("fill_watermark = 4097"),
	          "fill_watermark: give a whole number of bits, 0 to 4096");
	for (const char *value : {"0", "65537", "\"512\""})
		EXPECT_EQ(wrong(std::string("feed_bytes = ") + value),
		          "feed_bytes: give a whole number of bytes, 1 to 65536");
	EXPECT_EQ(wrong("rng_current = \"keep\""),
	          "rng_current: give one of \"hold\", \"prefer\", \"leave\"");
	EXPECT_EQ(wrong("rng_current = 1"), "rng_current: give one of \"hold\", \"prefer\", \"leave\"");
	EXPECT_EQ(wrong("status_socket = 1"), "status_socket: give a text in quotation marks");
	EXPECT_EQ(wrong("deny = \"x\""), "deny: give a list of texts: [\"...\", ...]");
	EXPECT_EQ(wrong("deny = [\"x\", 1]"), "deny: give texts in quotation marks");
	EXPECT_EQ(wrong("deny = [\"\"]"), "deny: \"\" matches nothing");
	EXPECT_EQ(wrong("prefer = [\"a[bc\"]"), "prefer: \"a[bc\" has a [ without a closing ]");
	EXPECT_EQ(wrong("prefer = ['a\\']"),
	          "prefer: \"a\\\" ends with a backslash: a character must follow it");
	EXPECT_EQ(wrong("modules = [\"vfat\"]"), "modules: \"vfat\" is not one of: tpm_rng, cpu_rng");
	EXPECT_EQ(wrong("source = 1"), "source is not a table: write [source.\"NAME\"]");
	EXPECT_EQ(wrong("[source.x]\ncredit = 1025"),
	          "credit: give a whole number of bits in 1024, 0 to 1024");
	EXPECT_TRUE(
	    wrong("reseed_intervall = 1")
	        .starts_with("unknown key \"reseed_intervall\"; did you mean \"reseed_interval\"?"));
	EXPECT_TRUE(wrong("dney = []").starts_with("unknown key \"dney\"; did you mean \"deny\"?"));
}

TEST(Config, ATableWithAPathOrACommandMakesASource)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", R"(
[source.onerng]
path = "/dev/ttyACM0"
speed = 115200
[source.camera]
command = ["lavarnd", "--raw"]
[source.moved]
command = ["old"]
)");
	tree.file("/etc/hwrngd.conf.d/later.conf", "[source.moved]\npath = \"/dev/new\"\n");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->sources.at("onerng").path, "/dev/ttyACM0");
	EXPECT_EQ(config->sources.at("onerng").speed, 115200U);
	EXPECT_EQ(config->sources.at("camera").command, (std::vector<std::string>{"lavarnd", "--raw"}));
	EXPECT_EQ(config->sources.at("moved").path, "/dev/new");
	EXPECT_TRUE(config->sources.at("moved").command.empty()) << "the last file wins";
}

TEST(Config, WrongGeneratorsAreNamed)
{
	const auto wrong = [](const std::string &text) {
		const auto message = refused("[source.x]\n" + text);
		return message.substr(message.find(": ") + 2);
	};
	EXPECT_EQ(wrong("path = \"tty\""), "path: \"tty\" does not begin with /");
	EXPECT_EQ(wrong("path = \"/a\"\ncommand = [\"b\"]"),
	          "command: the source has the key path already; it needs exactly one of path, "
	          "command, egd and ssh");
	for (const char *empty : {"[]", "[\"\"]"})
		EXPECT_EQ(wrong(std::string("command = ") + empty),
		          "command: give the name of a program, then its arguments");
	EXPECT_EQ(wrong("speed = 1"), "speed: give a whole number of baud, 50 to 4000000");
	EXPECT_EQ(wrong("path = \"/a\"\n[source.\"b*\"]\npath = \"/b\""),
	          "\"b*\" is a pattern; a source that is defined by path needs a name without *, ?, [ "
	          "and \\");
}

TEST(Config, AnotherMachineIsASource)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", R"(
[source.near]
egd = "unix:/run/egd"
[source.upstairs]
egd = "tls:rng.example.org:8889"
tls_ca = "/etc/ca.pem"
tls_certificate = "/etc/own.pem"
tls_key = "/etc/own.key"
[source.far]
ssh = "rng@[2001:db8::1]:2222"
identity = "/etc/id"
known_hosts = "/etc/known"
[source.moved]
command = ["old"]
[source.bare]
ssh = "rng@rng.example.org"
identity = ""
)");
	tree.file("/etc/hwrngd.conf.d/later.conf", "[source.moved]\negd = \"tcp:192.0.2.1:8888\"\n"
	                                           "[source.bare]\npath = \"/dev/new\"\n");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->sources.at("near").egd, "unix:/run/egd");
	EXPECT_EQ(config->sources.at("upstairs").tls_ca, "/etc/ca.pem");
	EXPECT_EQ(config->sources.at("upstairs").tls_key, "/etc/own.key");
	EXPECT_EQ(config->sources.at("far").ssh, "rng@[2001:db8::1]:2222");
	EXPECT_EQ(config->sources.at("far").known_hosts, "/etc/known");
	EXPECT_EQ(config->sources.at("moved").egd, "tcp:192.0.2.1:8888");
	EXPECT_TRUE(config->sources.at("moved").command.empty()) << "the last file wins";
	EXPECT_TRUE(config->sources.at("bare").ssh.empty());
	EXPECT_FALSE(config->source("near").credit) << "no credit unless the file sets it";
}

TEST(Config, WhatIsWrongWithAnotherMachineIsNamed)
{
	const auto wrong = [](const std::string &text) {
		FakeTree tree;
		tree.file("/etc/hwrngd.conf", "[source.x]\n" + text);
		const auto config = read_config(tree.root());
		EXPECT_FALSE(config) << text;
		if (config)
			return std::string();
		EXPECT_EQ(config.error().code, ExitCode::usage);
		const auto &message = config.error().message;
		const auto line = message.find(", line ");
		return line == std::string::npos ? message : message.substr(message.find(": ", line) + 2);
	};
	EXPECT_EQ(wrong("egd = \"tcp:host:1\"\nssh = \"a@b\""),
	          "ssh: the source has the key egd already; it needs exactly one of path, command, egd "
	          "and ssh");
	EXPECT_EQ(wrong("egd = \"host:1\""),
	          "egd: \"host:1\" is not unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT");
	EXPECT_EQ(wrong("egd = 1"), "egd: give a text in quotation marks");
	EXPECT_EQ(wrong("ssh = \"host\""), "ssh: \"host\" is not USER@HOST or USER@HOST:PORT");
	EXPECT_EQ(wrong("tls_ca = \"ca.pem\""), "tls_ca: \"ca.pem\" does not begin with /");
	EXPECT_EQ(wrong("egd = \"tls:host:1\""), "[source.\"x\"] egd: tls:host:1 needs tls_ca, the "
	                                         "authorities that sign the server's certificate");
	for (const char *key : {"tls_ca", "tls_certificate", "tls_key"})
		EXPECT_EQ(wrong(fmt::format("egd = \"tcp:host:1\"\n{} = \"/a\"", key)),
		          "[source.\"x\"] tls_ca, tls_certificate and tls_key need egd = "
		          "\"tls:HOST:PORT\"");
	for (const char *key : {"tls_certificate", "tls_key"})
		EXPECT_EQ(
		    wrong(fmt::format("egd = \"tls:host:1\"\ntls_ca = \"/a\"\n{} = \"/a\"", key)),
		    "[source.\"x\"] tls_certificate and tls_key belong together: give both or neither");
	for (const char *key : {"identity", "known_hosts"})
		EXPECT_EQ(wrong(fmt::format("{} = \"/a\"", key)),
		          "[source.\"x\"] identity and known_hosts need ssh = \"USER@HOST\"");
	EXPECT_EQ(refused("[source.\"b*\"]\negd = \"tcp:host:1\""),
	          "/etc/hwrngd.conf, line 2: \"b*\" is a pattern; a source that is defined by egd "
	          "needs a name without *, ?, [ and \\");
}

TEST(Config, ANameDecidesOverALongPatternOverAShortOne)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", R"(
[source."*"]
credit = 1
assessed = 10
[source."tpm*"]
credit = 2
assessed = 20
[source."tpm_rng.*"]
credit = 3
[source."tpm_rng.0"]
assessed = 40
)");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->source("rdseed").credit, 1U);
	EXPECT_EQ(config->source("rdseed").assessed, 10U);
	EXPECT_EQ(config->source("tpmrm0").credit, 2U);
	EXPECT_EQ(config->source("tpm_rng.0").credit, 3U);
	EXPECT_EQ(config->source("tpm_rng.0").assessed, 40U);
	EXPECT_EQ(config->source("tpm_rng.1").assessed, 20U);
	EXPECT_FALSE(Config().source("x").credit);
}

} // namespace
