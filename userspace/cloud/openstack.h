// SPDX-License-Identifier: GPL-2.0-or-later
// Lists the flavors (Nova) and images (Glance) of an OpenStack cloud, after a login at Keystone.
#pragma once

#include "base/error.h"
#include "cloud/clouds.h"
#include "cloud/http.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hwrngd {

struct Flavor {
	std::string id;
	std::string name;
	bool is_public = true;
	std::map<std::string, std::string> extra_specs = {};
	bool specs_known = true; ///< false: this user may not see them
};

struct Image {
	std::string id;
	std::string name;
	std::string visibility; ///< public, private, shared or community
	std::string status;     ///< active, queued, ...
	bool hidden = false;
	std::optional<std::string> rng_model = {}; ///< hw_rng_model
};

/// A login to a cloud, and its services.
class OpenStack {
public:
	/// Called with what was found so far, such as "40 images".
	using Found = std::function<void(const std::string &)>;

	/// Logs in (Identity API v3, POST /v3/auth/tokens). `cloud` and `http` must outlive the result.
	/// Errors: ExitCode::not_permitted if the cloud rejects the login; usage if the configuration
	/// is wrong; unavailable if there is no answer; io_error if the answer is not valid.
	[[nodiscard]] static Result<OpenStack> log_in(const Cloud &cloud, Http &http);

	[[nodiscard]] const std::string &region() const { return region_; }
	[[nodiscard]] const std::string &project() const { return project_; }

	/// Nova's newest microversion, as 93 for "2.93"; nothing if Nova does not report it.
	[[nodiscard]] Result<std::optional<unsigned>> compute_microversion();
	/// All flavors that this user sees; for an admin, private ones too.
	[[nodiscard]] Result<std::vector<Flavor>> flavors(const Found &found);
	/// All images that this user sees, including community images and hidden ones.
	[[nodiscard]] Result<std::vector<Image>> images(const Found &found);

private:
	OpenStack(const Cloud &cloud, Http &http) : cloud_(&cloud), http_(&http) {}
	[[nodiscard]] Result<void> renew();
	/// Reads the endpoints from the catalog that came with a token.
	[[nodiscard]] Result<void> find_services(const nlohmann::json &catalog);
	[[nodiscard]] Result<HttpAnswer> ask(const std::string &url,
	                                     const std::vector<std::string> &headers = {});
	using Take = std::function<Result<void>(const nlohmann::json &)>;
	[[nodiscard]] Result<void> pages(const std::string &url, const std::string &key,
	                                 const std::vector<std::string> &headers, const Take &take);
	[[nodiscard]] Result<void> list_flavors(std::vector<Flavor> &flavors, bool with_specs,
	                                        const Found &found);
	/// Reads a flavor's extra specs. Returns the HTTP status: 200, 403 or 404.
	[[nodiscard]] Result<long> read_specs(Flavor &flavor);

	const Cloud *cloud_;
	Http *http_;
	std::string token_;
	std::string region_;
	std::string project_;
	std::string compute_; ///< without a slash at the end
	std::string image_;   ///< likewise, and without /v2
};

} // namespace hwrngd
