// SPDX-License-Identifier: GPL-2.0-or-later
// Requests to a cloud's services by libcurl: with time limits, and repeated where that may help.
#pragma once

#include "base/error.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hwrngd {

struct HttpOptions {
	std::filesystem::path ca_file = {}; ///< PEM; empty: the system's
	std::filesystem::path certificate = {};
	std::filesystem::path key = {};
	bool verify = true;
	std::chrono::milliseconds timeout{30'000};  ///< of a whole request
	std::chrono::milliseconds first_pause{500}; ///< before the second try; then it doubles
	unsigned tries = 4;
};

struct HttpAnswer {
	long status = 0;
	std::map<std::string, std::string> headers; ///< names in lower case
	std::string body;
};

/// A client that keeps its connections open. It does not follow redirects, since the token that is
/// sent must not reach another server; the redirect itself is the answer.
class Http {
public:
	explicit Http(const HttpOptions &options);
	Http(const Http &) = delete;
	Http &operator=(const Http &) = delete;
	~Http();

	/// Sends a request with `headers`, each as "Name: value". It is repeated if there is no
	/// connection, or if the server has too many requests (429, with its Retry-After) or is not
	/// available (502, 503, 504). Errors: ExitCode::unavailable if there is no answer; io_error for
	/// an answer of more than 64 MiB; usage for a wrong address or TLS file; interrupted.
	[[nodiscard]] Result<HttpAnswer> get(const std::string &url,
	                                     const std::vector<std::string> &headers);
	[[nodiscard]] Result<HttpAnswer>
	post(const std::string &url, const std::vector<std::string> &headers, const std::string &body);

private:
	struct State;
	[[nodiscard]] Result<HttpAnswer>
	ask(const std::string &url, const std::vector<std::string> &headers, const std::string *body);
	std::unique_ptr<State> state_;
};

} // namespace hwrngd
