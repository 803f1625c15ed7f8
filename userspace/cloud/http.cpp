// SPDX-License-Identifier: GPL-2.0-or-later
#include "cloud/http.h"
#include "base/interrupt.h"
#include "base/number.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

namespace hwrngd {

namespace {

constexpr size_t most_bytes = size_t{64} << 20;
constexpr std::chrono::seconds longest_pause{30};
constexpr long connect_ms = 10'000;

size_t take_body(const char *data, size_t, size_t size, void *user)
{
	auto &body = static_cast<HttpAnswer *>(user)->body;
	if (size > most_bytes - body.size())
		return 0; // libcurl makes this an error
	body.append(data, size);
	return size;
}

size_t take_header(const char *data, size_t, size_t size, void *user)
{
	auto &headers = static_cast<HttpAnswer *>(user)->headers;
	const std::string_view line(data, size);
	if (line.starts_with("HTTP/"))
		headers.clear(); // drop those of an earlier answer, such as a proxy's
	const auto colon = line.find(':');
	if (colon == std::string_view::npos)
		return size;
	std::string name(line.substr(0, colon));
	std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
	auto value = line.substr(colon + 1);
	while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())) != 0)
		value.remove_prefix(1);
	while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0)
		value.remove_suffix(1);
	headers[name] = value;
	return size;
}

int stop_if_interrupted(void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
	return interrupted();
}

bool may_help_again(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return true;
	default:
		return false;
	}
}

bool may_help_again(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/// Is the error on our side, not on the server's?
bool is_of_the_caller(CURLcode code)
{
	return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
	       code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
}

/// Why there is no answer. A text with an at sign may contain a proxy's password: it is not shown.
std::string reason(CURLcode code, const char *detail)
{
	const std::string text(detail);
	return text.empty() || text.contains('@') ? curl_easy_strerror(code) : text;
}

std::unexpected<Error> fail_asking(const std::string &url, CURLcode code, const char *detail,
                                   unsigned times)
{
	if (code == CURLE_WRITE_ERROR)
		return fail(ExitCode::io_error,
		            fmt::format("{}: its answer is longer than {} MiB", url, most_bytes >> 20));
	return fail(is_of_the_caller(code) ? ExitCode::usage : ExitCode::unavailable,
	            fmt::format("{}: {}{}", url, reason(code, detail),
	                        times > 1 ? fmt::format(", tried {} times", times) : ""));
}

/// How long the server asks us to wait, if it does.
std::optional<std::chrono::milliseconds> asked_pause(const HttpAnswer &answer)
{
	const auto found = answer.headers.find("retry-after");
	if (found == answer.headers.end())
		return std::nullopt;
	const auto seconds = parse_number<unsigned>(found->second);
	if (!seconds)
		return std::nullopt;
	return std::min<std::chrono::milliseconds>(std::chrono::seconds(*seconds), longest_pause);
}

/// Waits; returns false if a signal ended the wait.
bool pause(std::chrono::milliseconds time)
{
	using namespace std::chrono;
	const auto end = steady_clock::now() + time;
	while (interrupted() == 0 && steady_clock::now() < end)
		std::this_thread::sleep_for(milliseconds(20));
	return interrupted() == 0;
}

} // namespace

struct Http::State {
	HttpOptions options;
	CURL *curl = nullptr;
	std::array<char, CURL_ERROR_SIZE> why{};

	[[nodiscard]] CURLcode prepare(const std::string &url, curl_slist *headers,
	                               const std::string *body, HttpAnswer &answer);
};

Http::Http(const HttpOptions &options) : state_(std::make_unique<State>())
{
	state_->options = options;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		state_->curl = curl_easy_init();
}

Http::~Http()
{
	curl_easy_cleanup(state_->curl);
	curl_global_cleanup();
}

Result<HttpAnswer> Http::get(const std::string &url, const std::vector<std::string> &headers)
{
	return ask(url, headers, nullptr);
}

Result<HttpAnswer> Http::post(const std::string &url, const std::vector<std::string> &headers,
                              const std::string &body)
{
	return ask(url, headers, &body);
}

/// Sets up the next request; its answer goes to `answer`.
CURLcode Http::State::prepare(const std::string &url, curl_slist *headers, const std::string *body,
                              HttpAnswer &answer)
{
	curl_easy_reset(curl); // keeps the connections
	auto bad = CURLE_OK;
	const auto set = [&](CURLoption option, auto value) {
		const auto code = curl_easy_setopt(curl, option, value);
		bad = bad == CURLE_OK ? code : bad;
	};
	set(CURLOPT_URL, url.c_str());
	set(CURLOPT_PROTOCOLS_STR, "http,https");
	set(CURLOPT_HTTPHEADER, headers);
	set(CURLOPT_USERAGENT, "hwrngctl");
	set(CURLOPT_ACCEPT_ENCODING, "");
	set(CURLOPT_NOSIGNAL, 1L);
	set(CURLOPT_CONNECTTIMEOUT_MS,
	    std::min(connect_ms, static_cast<long>(options.timeout.count())));
	set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
	set(CURLOPT_ERRORBUFFER, why.data());
	set(CURLOPT_WRITEFUNCTION, &take_body);
	set(CURLOPT_WRITEDATA, static_cast<void *>(&answer));
	set(CURLOPT_HEADERFUNCTION, &take_header);
	set(CURLOPT_HEADERDATA, static_cast<void *>(&answer));
	set(CURLOPT_NOPROGRESS, 0L);
	set(CURLOPT_XFERINFOFUNCTION, &stop_if_interrupted);
	set(CURLOPT_SSL_VERIFYPEER, options.verify ? 1L : 0L);
	set(CURLOPT_SSL_VERIFYHOST, options.verify ? 2L : 0L);
	if (!options.ca_file.empty()) {
		set(CURLOPT_CAINFO, options.ca_file.c_str());
		// Otherwise the system's authorities would be accepted too.
		set(CURLOPT_CAPATH, static_cast<const char *>(nullptr));
	}
	if (!options.certificate.empty())
		set(CURLOPT_SSLCERT, options.certificate.c_str());
	if (!options.key.empty())
		set(CURLOPT_SSLKEY, options.key.c_str());
	if (body != nullptr) {
		set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
		set(CURLOPT_POSTFIELDS, body->c_str());
	}
	return bad;
}

Result<HttpAnswer> Http::ask(const std::string &url, const std::vector<std::string> &headers,
                             const std::string *body)
{
	auto *curl = state_->curl;
	const auto &options = state_->options;
	if (curl == nullptr)
		return fail(ExitCode::io_error, "libcurl cannot be initialized");
	curl_slist *lines = nullptr;
	for (const auto &header : headers)
		lines = curl_slist_append(lines, header.c_str());
	const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list(lines,
	                                                                       curl_slist_free_all);
	HttpAnswer answer;
	if (const auto bad = state_->prepare(url, list.get(), body, answer); bad != CURLE_OK)
		return fail(ExitCode::usage, fmt::format("{}: {}", url, curl_easy_strerror(bad)));
	std::chrono::milliseconds wait = options.first_pause;
	for (unsigned i = 1;; i++) {
		answer = {};
		state_->why[0] = '\0';
		const auto code = curl_easy_perform(curl);
		if (interrupted() != 0)
			return fail(ExitCode::interrupted, "");
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
		const bool again = code == CURLE_OK ? may_help_again(answer.status) : may_help_again(code);
		if (!again || i >= options.tries) {
			if (code == CURLE_OK)
				return answer;
			return fail_asking(url, code, state_->why.data(), i);
		}
		if (!pause(std::max(asked_pause(answer).value_or(wait), wait)))
			return fail(ExitCode::interrupted, "");
		wait *= 2;
	}
}

} // namespace hwrngd
