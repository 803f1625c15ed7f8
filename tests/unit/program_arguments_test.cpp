// SPDX-License-Identifier: GPL-2.0-or-later
// The arguments that our programs pass to each other survive the way to words and back.
#include "cloud/openstack_arguments.h"
#include "egd/egd_arguments.h"
#include "pull/pull_arguments.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hwrngd {
namespace {

template <typename Arguments> void expect_round_trip(const Arguments &arguments)
{
	const auto back = Arguments::from_words(arguments.to_words());
	ASSERT_TRUE(back) << back.error().message;
	EXPECT_EQ(*back, arguments);
}

/// The message with which these words are refused, as a usage error; "accepted" if they are not.
template <typename Arguments> std::string refusal(const std::vector<std::string> &words)
{
	const auto read = Arguments::from_words(words);
	if (read)
		return "accepted";
	EXPECT_EQ(read.error().code, ExitCode::usage);
	return read.error().message;
}

template <typename Arguments> void expect_counted(const Arguments &arguments)
{
	auto words = arguments.to_words();
	words.emplace_back();
	EXPECT_NE(refusal<Arguments>(words), "accepted") << "one too many";
	words.resize(words.size() - 2);
	EXPECT_NE(refusal<Arguments>(words), "accepted") << "one missing";
	EXPECT_NE(refusal<Arguments>({}), "accepted");
}

/// Expects that the message names `word` if it replaces word `place`.
template <typename Arguments>
void expect_refused(const Arguments &arguments, size_t place, const std::string &word)
{
	auto words = arguments.to_words();
	words.at(place) = word;
	EXPECT_TRUE(refusal<Arguments>(words).contains("\"" + word + "\""))
	    << place << ": " << refusal<Arguments>(words);
}

const EgdArguments egd{.kinds = "ptn",
                       .max_clients = std::numeric_limits<unsigned>::max(),
                       .max_clients_per_address = 64,
                       .bytes_per_second = std::numeric_limits<uint64_t>::max(),
                       .total_bytes_per_second = 1,
                       .idle = std::chrono::milliseconds::max(),
                       .tls_certificate = "/etc/a file",
                       .tls_key = "-k",
                       .tls_client_ca = "\n"};

TEST(EgdArguments, SurviveTheRoundTrip)
{
	expect_round_trip(egd);
	expect_round_trip(EgdArguments{});
}

TEST(EgdArguments, AWrongNumberIsRefused)
{
	expect_counted(egd);
	EXPECT_TRUE(refusal<EgdArguments>({}).contains("9 arguments, not 0"));
}

TEST(EgdArguments, NumbersAndKindsAreChecked)
{
	expect_refused(egd, 0, "px");
	for (size_t place = 1; place <= 5; place++)
		for (const auto *word : {"", "-1", "1x", " 1", "0x1", "99999999999999999999"})
			expect_refused(egd, place, word);
	expect_refused(egd, 1, "4294967296");
	expect_refused(egd, 5, "9223372036854775808");
	auto words = egd.to_words();
	words[3] = "many";
	EXPECT_TRUE(refusal<EgdArguments>(words).contains("bytes_per_second: \"many\""));
}

const PullArguments by_egd{"peer", PullArguments::Egd{.address = "tls:host:1",
                                                      .tls_ca = "/ca",
                                                      .tls_certificate = "/certificate",
                                                      .tls_key = "/key"}};
const PullArguments by_ssh{
    "",
    PullArguments::Ssh{.address = "a@b", .identity = "/identity", .known_hosts = "/known hosts"}};

TEST(PullArguments, SurviveTheRoundTrip)
{
	expect_round_trip(by_egd);
	expect_round_trip(by_ssh);
	expect_round_trip(PullArguments{"egd", PullArguments::Egd{.address = "ssh"}});
	expect_round_trip(PullArguments{"ssh", PullArguments::Ssh{}});
}

TEST(PullArguments, AWrongNumberIsRefused)
{
	expect_counted(by_egd);
	expect_counted(by_ssh);
	EXPECT_TRUE(refusal<PullArguments>({"name", "ssh", "a@b"}).contains("3 arguments, not 1"));
	EXPECT_TRUE(refusal<PullArguments>({"name"}).contains("missing"));
}

TEST(PullArguments, OnlyEgdAndSshAreKnown)
{
	expect_refused(by_egd, 1, "http");
	expect_refused(by_ssh, 1, "");
}

const OpenStackArguments of_cloud{.json = true,
                                  .all = true,
                                  .cloud = {.cloud = "mine",
                                            .region = "a region",
                                            .interface = "admin",
                                            .ca_file = "/ca.pem",
                                            .insecure = true},
                                  .timeout = std::numeric_limits<unsigned>::max()};

TEST(OpenStackArguments, SurviveTheRoundTrip)
{
	expect_round_trip(of_cloud);
	expect_round_trip(OpenStackArguments{});
	for (const unsigned only : {0U, 1U, 2U}) // each flag alone, so that none stands for another
		expect_round_trip(OpenStackArguments{
		    .json = only == 0, .all = only == 1, .cloud = {.insecure = only == 2}});
}

TEST(OpenStackArguments, AWrongNumberIsRefused)
{
	expect_counted(of_cloud);
}

TEST(OpenStackArguments, FlagsAndTimeoutAreChecked)
{
	expect_refused(of_cloud, 0, "xml");
	expect_refused(of_cloud, 1, "");
	expect_refused(of_cloud, 6, "secure");
	for (const auto *word : {"", "0", "-1", "1 s", "4294967296"})
		expect_refused(of_cloud, 7, word);
}

} // namespace
} // namespace hwrngd
