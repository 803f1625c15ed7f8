// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/status_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <asio/write.hpp>

namespace hwrngd {

namespace {

// A client that connects and reads nothing must not fill our memory, or keep others out for long.
constexpr unsigned most_clients = 16;
constexpr std::chrono::seconds client_limit{10};

std::optional<double> wall_clock(const std::optional<Time> &when)
{
	return when.transform([](Time time) { return hwrngd::wall_clock(time); });
}

std::vector<StepStatus> path_of(const Lifecycle &life)
{
	std::vector<StepStatus> path;
	for (const auto &step : life.path())
		path.push_back({.time = hwrngd::wall_clock(step.when),
		                .from = name(step.from),
		                .to = name(step.to),
		                .reason = step.reason});
	return path;
}

LatencyStatus latency_of(const LatencyHistogram &latency)
{
	LatencyStatus status{.reads = latency.count, .sum = latency.sum, .buckets = {}};
	for (size_t i = 0; i < LatencyHistogram::bounds.size(); i++)
		status.buckets.push_back(
		    {.most = LatencyHistogram::bounds.at(i), .reads = latency.within.at(i)});
	return status;
}

SourceStatus source_status(const std::string &source_name, const PipelineSource &source)
{
	const auto &[info, use, reason] = source.decision;
	const auto &counts = source.counts;
	const auto &tests = source.life.tests();
	const auto &fips = tests.fips();
	return {.name = source_name,
	        .kind = name(info.kind),
	        .driver = info.driver,
	        .claim = info.claim,
	        .use = name(use),
	        .reason = reason,
	        .state = name(source.life.state()),
	        .retry = wall_clock(source.life.retry_at()),
	        .bytes_read = counts.bytes_read,
	        .bytes_fed = counts.bytes_fed,
	        .bytes_drawn = counts.bytes_drawn,
	        .credited_bits = counts.credited_bits,
	        .last_fed = wall_clock(counts.last_fed),
	        .read_errors = counts.read_errors,
	        .worst_latency_ms = static_cast<uint64_t>(counts.worst_latency.count()),
	        .fips_blocks = fips.blocks,
	        .fips_failures = fips.failures,
	        .failures = {{"fips_monobit", fips.of(fips140_2::monobit)},
	                     {"fips_poker", fips.of(fips140_2::poker)},
	                     {"fips_runs", fips.of(fips140_2::runs)},
	                     {"fips_long_run", fips.of(fips140_2::long_run)},
	                     {"fips_continuous", fips.of(fips140_2::continuous)},
	                     {"repetition_count", tests.failures().repetition_count},
	                     {"adaptive_proportion", tests.failures().adaptive_proportion},
	                     {"cycle", tests.failures().cycle}},
	        .latency = latency_of(counts.latency),
	        .path = path_of(source.life)};
}

EgdStatus egd_status(const egd::Report &egd)
{
	return {.pid = static_cast<uint64_t>(egd.pid),
	        .clients = egd.clients,
	        .accepted = egd.accepted,
	        .refused = egd.refused,
	        .bytes_served = egd.served,
	        .bytes_mixed = egd.mixed,
	        .available = egd.available};
}

} // namespace

double wall_clock(Time when)
{
	using namespace std::chrono;
	const auto ago = steady_clock::now() - when;
	return duration<double>((system_clock::now() - ago).time_since_epoch()).count();
}

DaemonStatus status_of(const Pipeline &pipeline, const std::optional<egd::Report> &egd)
{
	DaemonStatus status;
	status.pid = static_cast<uint64_t>(getpid());
	status.feeds = pipeline.feeds();
	status.last_feed = wall_clock(pipeline.last_feed());
	status.egd = egd.transform(egd_status);
	for (const auto &[name, source] : pipeline.sources())
		status.sources.push_back(source_status(name, source));
	return status;
}

StatusSocket::StatusSocket(asio::io_context &io, std::filesystem::path path,
                           std::function<std::string()> document)
    : acceptor_(io), pause_(io), path_(std::move(path)), document_(std::move(document))
{
}

StatusSocket::~StatusSocket()
{
	if (acceptor_.is_open())
		::unlink(path_.c_str()); // it does not matter if it is already gone
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
		            fmt::format("{}: too long for a socket path; the limit is {} bytes",
		                        path.string(), sizeof longest.sun_path - 1));
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
	// The status is not secret.
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
			// For example, no descriptor is left: without a pause it would fail again at once.
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
				                  // It does not matter if the client has gone away.
				                  client->deadline.cancel();
				                  clients_--;
			                  });
		}
		accept();
	});
}

} // namespace hwrngd
