// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/status_socket.h"
#include "base/json_object.h"

#include <sys/stat.h>
#include <unistd.h>

#include <asio/write.hpp>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;

// Who connects and reads nothing must not fill our memory, nor keep others out.
constexpr unsigned most_clients = 16;
constexpr std::chrono::seconds client_limit{10};

/// A point in time as the wall clock's, in seconds since 1970, as Prometheus has it.
double wall_clock(Time when)
{
	using namespace std::chrono;
	const auto ago = steady_clock::now() - when;
	return duration<double>((system_clock::now() - ago).time_since_epoch()).count();
}

Json wall_clock(const std::optional<Time> &when)
{
	return when ? Json(wall_clock(*when)) : Json(nullptr);
}

Json source_document(const std::string &name, const PipelineSource &source)
{
	const auto &tests = source.life.tests();
	const auto &fips = tests.fips();
	Json path = Json::array();
	for (const auto &step : source.life.path())
		path.push_back(json_object({{"time", wall_clock(step.when)},
		                            {"from", hwrngd::name(step.from)},
		                            {"to", hwrngd::name(step.to)},
		                            {"reason", step.reason}}));
	const auto &latency = source.counts.latency;
	Json buckets = Json::array();
	for (size_t i = 0; i < LatencyHistogram::bounds.size(); i++)
		buckets.push_back(json_object(
		    {{"most", LatencyHistogram::bounds.at(i)}, {"reads", latency.within.at(i)}}));
	return json_object(
	    {{"name", name},
	     {"kind", hwrngd::name(source.decision.source.kind)},
	     {"driver", source.decision.source.driver},
	     {"claim", source.decision.source.claim},
	     {"use", hwrngd::name(source.decision.use)},
	     {"reason", source.decision.reason},
	     {"state", hwrngd::name(source.life.state())},
	     {"retry", wall_clock(source.life.retry_at())},
	     {"bytes_read", source.counts.bytes_read},
	     {"bytes_fed", source.counts.bytes_fed},
	     {"bytes_drawn", source.counts.bytes_drawn},
	     {"credited_bits", source.counts.credited_bits},
	     {"last_fed", wall_clock(source.counts.last_fed)},
	     {"read_errors", source.counts.read_errors},
	     {"worst_latency_ms", source.counts.worst_latency.count()},
	     {"fips_blocks", fips.blocks},
	     {"fips_failures", fips.failures},
	     {"failures", json_object({{"fips_monobit", fips.of(fips140_2::monobit)},
	                               {"fips_poker", fips.of(fips140_2::poker)},
	                               {"fips_runs", fips.of(fips140_2::runs)},
	                               {"fips_long_run", fips.of(fips140_2::long_run)},
	                               {"fips_continuous", fips.of(fips140_2::continuous)},
	                               {"repetition_count", tests.failures().repetition_count},
	                               {"adaptive_proportion", tests.failures().adaptive_proportion},
	                               {"cycle", tests.failures().cycle}})},
	     {"latency",
	      json_object({{"reads", latency.count}, {"sum", latency.sum}, {"buckets", buckets}})},
	     {"path", path}});
}

Json egd_document(const egd::Report &egd)
{
	return json_object({{"pid", egd.pid},
	                    {"clients", egd.clients},
	                    {"accepted", egd.accepted},
	                    {"refused", egd.refused},
	                    {"bytes_served", egd.served},
	                    {"bytes_mixed", egd.mixed},
	                    {"available", egd.available}});
}

} // namespace

Json status_document(const DaemonState &daemon, const Pipeline &pipeline,
                     const std::optional<egd::Report> &egd)
{
	Json sources = Json::array();
	for (const auto &[name, source] : pipeline.sources())
		sources.push_back(source_document(name, source));
	const auto text_or_null = [](const std::optional<std::string> &text) {
		return text ? Json(*text) : Json(nullptr);
	};
	return json_object(
	    {{"schema", status_schema},
	     {"version", daemon.version},
	     {"pid", getpid()},
	     {"started", wall_clock(daemon.started)},
	     {"crng_ready", daemon.crng_ready},
	     {"feeds", pipeline.feeds()},
	     {"last_feed", wall_clock(pipeline.last_feed())},
	     {"reseed_interval", std::chrono::duration<double>(daemon.reseed_interval).count()},
	     {"rng_current", daemon.rng_current.empty() ? Json(nullptr) : Json(daemon.rng_current)},
	     {"rng_chosen", text_or_null(daemon.rng_chosen)},
	     {"rng_reason", daemon.rng_reason},
	     {"config_error", text_or_null(daemon.config_error)},
	     {"egd", egd ? egd_document(*egd) : Json(nullptr)},
	     {"sources", sources}});
}

StatusSocket::StatusSocket(asio::io_context &io, std::filesystem::path path,
                           std::function<std::string()> document)
    : acceptor_(io), pause_(io), path_(std::move(path)), document_(std::move(document))
{
}

StatusSocket::~StatusSocket()
{
	if (acceptor_.is_open())
		::unlink(path_.c_str()); // if it is gone already, so much the better
}

Result<std::unique_ptr<StatusSocket>> StatusSocket::listen(asio::io_context &io,
                                                           const std::filesystem::path &path,
                                                           std::function<std::string()> document)
{
	std::error_code failed;
	std::filesystem::create_directories(path.parent_path(), failed);
	if (failed)
		return fail_errno(failed.value(), path.parent_path().string());
	std::unique_ptr<StatusSocket> socket(new StatusSocket(io, path, std::move(document)));
	struct sockaddr_un longest = {};
	if (path.string().size() >= sizeof longest.sun_path)
		return fail(ExitCode::usage,
		            fmt::format("{}: too long for a socket, which may have {} bytes", path.string(),
		                        sizeof longest.sun_path - 1));
	if (::unlink(path.c_str()) < 0 && errno != ENOENT)
		return fail_errno(errno, path.string());
	asio::error_code error;
	const auto failed_to = [&](const char *what) {
		return fail_errno(error.value(), fmt::format("{} {}", what, path.string()));
	};
	if (socket->acceptor_.open(Protocol(), error); error)
		return failed_to("socket");
	if (socket->acceptor_.bind(Protocol::endpoint(path.string()), error); error)
		return failed_to("bind");
	// What it says is no secret.
	if (::chmod(path.c_str(), 0666) < 0)
		return fail_errno(errno, path.string());
	if (socket->acceptor_.listen(most_clients, error); error)
		return failed_to("listen");
	socket->accept();
	return socket;
}

void StatusSocket::accept()
{
	acceptor_.async_accept([this](const asio::error_code &error, Protocol::socket peer) {
		if (error == asio::error::operation_aborted)
			return;
		if (error) {
			// No descriptor is left, say: it would fail again at once.
			pause_.expires_after(std::chrono::seconds(1));
			pause_.async_wait([this](const asio::error_code &ended) {
				if (!ended)
					accept();
			});
			return;
		}
		if (clients_ < most_clients) {
			struct Client {
				Protocol::socket socket;
				std::string text;
				asio::steady_timer deadline;
			};
			auto client = std::make_shared<Client>(
			    Client{std::move(peer), document_(), asio::steady_timer(acceptor_.get_executor())});
			clients_++;
			client->deadline.expires_after(client_limit);
			client->deadline.async_wait([client](const asio::error_code &done) {
				if (!done)
					client->socket.close();
			});
			asio::async_write(client->socket, asio::buffer(client->text),
			                  [this, client](const asio::error_code &, size_t) {
				                  // A reader that went away is its own affair.
				                  client->deadline.cancel();
				                  clients_--;
			                  });
		}
		accept();
	});
}

} // namespace hwrngd
