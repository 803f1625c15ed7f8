// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/metrics.h"

#include "daemon/status_socket.h"
#include "full_status.h"
#include "pool/pipeline.h"

#include <prometheus/text_serializer.h>

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

/// A source that returns zeros, and so fails its tests.
class Zeros : public Source {
public:
	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds /*limit*/) override
	{
		std::fill(out.begin(), out.end(), uint8_t{0});
		return out.size();
	}
};

class NoSink : public Sink {
public:
	Result<void> add(std::span<const uint8_t> /*bytes*/, uint64_t /*bits*/) override { return {}; }
	Result<bool> reseed() override { return true; }
	std::optional<PoolLevel> level() override { return std::nullopt; }
	bool ready() override { return true; }
};

TEST(Metrics, HaveTheFiguresOfASource)
{
	asio::io_context io;
	NoSink sink;
	Pipeline pipeline(io, sink,
	                  {.open = [](const SourceInfo &) -> Result<std::unique_ptr<Source>> {
		                   return std::make_unique<Zeros>();
	                   },
	                   .on_step = [](const auto &, const auto &) {},
	                   .on_lost = [](const auto &) {},
	                   .on_feed = [] {},
	                   .on_error = [](const auto &) {}});
	Decision decision;
	decision.sources.push_back({{"a \"name\"", SourceKind::cpu, "", 512, false}, Use::read, ""});
	pipeline.apply(decision);
	io.poll();
	ASSERT_FALSE(pipeline.busy());
	auto status = status_of(pipeline);
	status.version = "1";
	status.crng_ready = true;
	status.reseed_interval = 60;
	status.config_error = "it is wrong";
	const auto text = prometheus::TextSerializer().Serialize(metric_families(status));
	const std::string labels = R"({source="a \"name\"",kind="cpu")";
	for (const auto &line :
	     {std::string("hwrngd_up 1"), std::string(R"(hwrngd_build_info{version="1"} 1)"),
	      std::string("hwrngd_crng_ready 1"), std::string("hwrngd_config_error 1"),
	      std::string("hwrngd_reseed_interval_seconds 60"),
	      "hwrngd_source_read_bytes_total" + labels + "} 1024",
	      "hwrngd_source_credited_bits_total" + labels + "} 0",
	      "hwrngd_source_test_failures_total" + labels + R"(,test="repetition_count"} 1)",
	      "hwrngd_source_test_failures_total" + labels + R"(,test="cycle"} 0)",
	      "hwrngd_source_state" + labels + R"(,state="quarantined"} 1)",
	      "hwrngd_source_state" + labels + R"(,state="healthy"} 0)",
	      "hwrngd_source_read_seconds_count" + labels + "} 2",
	      "hwrngd_source_read_seconds_bucket" + labels + R"(,le="+Inf"} 2)"})
		EXPECT_NE(text.find(line + "\n"), std::string::npos) << line << "\n" << text;
	EXPECT_EQ(text.find("hwrngd_source_last_fed_timestamp_seconds{"), std::string::npos)
	    << "it never fed the pool";
}

TEST(Metrics, HaveTheBytesThatEgdClientsGotFromASource)
{
	const auto text =
	    prometheus::TextSerializer().Serialize(metric_families(hwrngd::test::full_status()));
	for (const char *line :
	     {"# TYPE hwrngd_source_drawn_bytes_total counter\n",
	      "hwrngd_source_drawn_bytes_total{source=\"usb\",kind=\"generator\"} 12288\n",
	      "hwrngd_source_fed_bytes_total{source=\"usb\",kind=\"generator\"} 50000\n",
	      "hwrngd_egd_served_bytes_total 1000\n"})
		EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

TEST(LatencyHistogram, ABoundBelongsToItsBucket)
{
	LatencyHistogram latency;
	for (const auto time : {1e-5, 1.1e-5, 10.0, 10.1})
		latency.add(std::chrono::duration<double>(time));
	EXPECT_EQ(latency.within, (std::array<uint64_t, 8>{1, 1, 0, 0, 0, 0, 0, 1}));
	EXPECT_EQ(latency.count, 4U);
	EXPECT_DOUBLE_EQ(latency.sum, 20.100021);
}

TEST(Metrics, WithoutADaemonHwrngdUpIsZero)
{
	const auto text = prometheus::TextSerializer().Serialize(metric_families({}));
	EXPECT_NE(text.find("\nhwrngd_up 0\n"), std::string::npos) << text;
	EXPECT_EQ(text.find("hwrngd_source"), std::string::npos);
}

} // namespace
