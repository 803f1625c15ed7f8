// SPDX-License-Identifier: GPL-2.0-or-later
// Paths, headers and names are from the API references of Identity v3, Compute v2.1 and Image v2.
#include "cloud/openstack.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

namespace hwrngd {

namespace {

using nlohmann::json;

constexpr long created = 201;
constexpr long unauthorized = 401;
constexpr long forbidden = 403;
constexpr long not_found = 404;
constexpr long not_acceptable = 406;
constexpr size_t most_shown = 300;
// Since this version, /flavors/detail contains extra_specs.
constexpr const char *with_extra_specs = "OpenStack-API-Version: compute 2.61";

std::string without_slash(std::string url)
{
	while (url.ends_with('/'))
		url.pop_back();
	return url;
}

bool drop_end(std::string &url, std::string_view end)
{
	if (!url.ends_with(end))
		return false;
	url.resize(url.size() - end.size());
	return true;
}

/// The string member `key` of an object; "" if there is none.
std::string text(const json &object, const char *key)
{
	if (!object.is_object())
		return "";
	const auto found = object.find(key);
	return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The member `key` of an object; an empty object if there is none.
const json &member(const json &object, const char *key)
{
	static const json nothing = json::object();
	if (!object.is_object())
		return nothing;
	const auto found = object.find(key);
	return found == object.end() ? nothing : *found;
}

/// The message in a service's answer, as part of one line for a terminal.
std::string message_of(const HttpAnswer &answer)
{
	const auto document = json::parse(answer.body, nullptr, false);
	std::string what;
	if (document.is_object())
		for (const auto &[key, value] : document.items())
			if (what.empty())
				what = text(value, "message");
	if (what.empty())
		return "";
	std::ranges::replace_if(what, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
	return ": " + what.substr(0, most_shown);
}

std::unexpected<Error> refused(const std::string &url, const HttpAnswer &answer)
{
	const auto what = fmt::format("{}: HTTP {}{}", url, answer.status, message_of(answer));
	if (answer.status == unauthorized || answer.status == forbidden)
		return fail(ExitCode::not_permitted, what);
	const auto to = answer.headers.find("location");
	const bool moved = answer.status >= 300 && answer.status < 400;
	if (moved && to != answer.headers.end())
		return fail(
		    ExitCode::usage,
		    fmt::format("{}; it redirects to {}, but a token is only sent to addresses in the "
		                "configuration",
		                what, to->second));
	// An OpenStack service answers an unknown path with 300 and a list of its versions.
	if (moved || answer.status == not_found)
		return fail(ExitCode::usage,
		            fmt::format("{}; is that the address of an OpenStack service?", what));
	return fail(answer.status >= 500 || answer.status == 429 ? ExitCode::unavailable
	                                                         : ExitCode::io_error,
	            what);
}

Result<json> parse(const std::string &url, const HttpAnswer &answer)
{
	auto document = json::parse(answer.body, nullptr, false);
	if (document.is_object())
		return document;
	return fail(ExitCode::io_error, fmt::format("{}: its answer is not a JSON object", url));
}

/// {"id": ...} or {"name": ...} from the keys WHAT_id or WHAT_name, such as user_domain_id.
std::optional<json> named(const Cloud &cloud, const std::string &what)
{
	for (const auto *key : {"id", "name"})
		if (const auto value = cloud.find(what + "_" + key))
			return json{{key, *value}};
	return std::nullopt;
}

/// The domain of a user or a project. If there is a project, `domain_name` is the domain of both,
/// and not a scope.
json domain_of(const Cloud &cloud, const std::string &what)
{
	auto domain = named(cloud, what + "_domain");
	if (!domain && named(cloud, "project"))
		domain = named(cloud, "domain");
	if (!domain)
		domain = named(cloud, "default_domain");
	return domain.value_or(json{{"id", "default"}});
}

json user_of(const Cloud &cloud)
{
	if (const auto id = cloud.find("user_id"))
		return {{"id", *id}};
	return {{"name", cloud.find("username").value_or("")}, {"domain", domain_of(cloud, "user")}};
}

json identity_of(const Cloud &cloud)
{
	if (cloud.auth_type == "token")
		return {{"methods", {"token"}}, {"token", {{"id", cloud.find("token").value_or("")}}}};
	if (cloud.auth_type == "password") {
		auto user = user_of(cloud);
		user["password"] = cloud.find("password").value_or("");
		return {{"methods", {"password"}}, {"password", {{"user", user}}}};
	}
	json credential{{"secret", cloud.find("application_credential_secret").value_or("")}};
	if (const auto id = cloud.find("application_credential_id")) {
		credential["id"] = *id;
	} else {
		credential["name"] = cloud.find("application_credential_name").value_or("");
		credential["user"] = user_of(cloud);
	}
	return {{"methods", {"application_credential"}}, {"application_credential", credential}};
}

/// The scope of the login. An application credential has its own project, and Keystone accepts no
/// other.
std::optional<json> scope_of(const Cloud &cloud)
{
	if (cloud.auth_type == "application_credential")
		return std::nullopt;
	if (auto project = named(cloud, "project")) {
		if (project->contains("name"))
			(*project)["domain"] = domain_of(cloud, "project");
		return json{{"project", *project}};
	}
	if (auto domain = named(cloud, "domain"))
		return json{{"domain", *domain}};
	if (cloud.find("system_scope"))
		return json{{"system", {{"all", true}}}};
	return std::nullopt;
}

/// The address of Keystone's version 3. People write auth_url with this version, another, or none.
std::string identity_url(const Cloud &cloud)
{
	auto url = without_slash(cloud.find("auth_url").value_or(""));
	if (!drop_end(url, "/v3"))
		drop_end(url, "/v2.0");
	return url + "/v3/auth/tokens";
}

void wipe(std::string &secret)
{
	explicit_bzero(secret.data(), secret.size());
	secret.clear();
}

/// Compares a service's type, including the name that compute once had.
bool is_of_type(const std::string &type, const std::string &wanted)
{
	return type == wanted || (wanted == "compute" && type == "computev21");
}

/// The query part of the link to the next page. The host in Nova's link may be any behind a proxy,
/// but the token must only go to the endpoint.
std::string next_query(const json &document, const std::string &key)
{
	auto link = text(document, "next");
	for (const auto &entry : member(document, (key + "_links").c_str()))
		if (text(entry, "rel") == "next")
			link = text(entry, "href");
	const auto question = link.find('?');
	return question == std::string::npos ? "" : link.substr(question);
}

/// A value as text. For an array or object, which may be nested without end, only its type.
std::string plain(const json &value)
{
	if (value.is_structured())
		return value.type_name();
	return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Does the answer reject the login? For an expired or invalid token it is "not found".
bool rejects_login(const Cloud &cloud, const HttpAnswer &answer)
{
	return answer.status == unauthorized ||
	       (answer.status == not_found && cloud.auth_type == "token" &&
	        !message_of(answer).empty());
}

/// The body of the request for a token.
std::string login_request(const Cloud &cloud)
{
	json request{{"auth", {{"identity", identity_of(cloud)}}}};
	if (auto scope = scope_of(cloud))
		request["auth"]["scope"] = *scope;
	return request.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string region_of(const json &endpoint)
{
	const auto id = text(endpoint, "region_id");
	return id.empty() ? text(endpoint, "region") : id;
}

/// The first endpoint of a service in the catalog that has the cloud's interface and region, and
/// also `region` unless that is empty. Its region is stored in `region`. "" if there is none.
std::string find_endpoint(const json &catalog, const Cloud &cloud, const std::string &type,
                          std::string &region)
{
	for (const auto &service : catalog) {
		if (!is_of_type(text(service, "type"), type))
			continue;
		for (const auto &entry : member(service, "endpoints")) {
			const auto here = region_of(entry);
			if (text(entry, "interface") != cloud.interface || text(entry, "url").empty() ||
			    (!cloud.region.empty() && here != cloud.region) ||
			    (!region.empty() && here != region))
				continue;
			region = here;
			return text(entry, "url");
		}
	}
	return "";
}

/// The error for a service without an endpoint; it lists those that exist.
std::unexpected<Error> no_endpoint(const json &catalog, const Cloud &cloud, const std::string &type)
{
	if (catalog.empty())
		return fail(
		    ExitCode::usage,
		    fmt::format("cloud {}: the login is not for a project, so it shows no services: "
		                "name a project with project_name (OS_PROJECT_NAME)",
		                cloud.name));
	std::vector<std::string> there;
	for (const auto &service : catalog)
		for (const auto &entry : member(service, "endpoints"))
			if (is_of_type(text(service, "type"), type))
				there.push_back(text(entry, "region_id") + " " + text(entry, "interface"));
	return fail(ExitCode::usage,
	            fmt::format("cloud {}: its catalog has no {} endpoint for region {} and interface "
	                        "{}; it has: {}",
	                        cloud.name, type, cloud.region.empty() ? "any" : cloud.region,
	                        cloud.interface,
	                        there.empty() ? "none" : fmt::format("{}", fmt::join(there, ", "))));
}

} // namespace

Result<OpenStack> OpenStack::log_in(const Cloud &cloud, Http &http)
{
	OpenStack stack(cloud, http);
	if (auto logged_in = stack.renew(); !logged_in)
		return std::unexpected(logged_in.error());
	return stack;
}

Result<void> OpenStack::renew()
{
	const auto url = identity_url(*cloud_);
	auto body = login_request(*cloud_);
	const auto answer = http_->post(url, {"Content-Type: application/json"}, body);
	wipe(body);
	if (!answer)
		return std::unexpected(answer.error());
	if (rejects_login(*cloud_, *answer))
		return fail(ExitCode::not_permitted,
		            fmt::format("cloud {}: {} rejects {}{}", cloud_->name, url,
		                        cloud_->auth_type == "application_credential"
		                            ? "this application credential"
		                            : fmt::format("this {}", cloud_->auth_type),
		                        message_of(*answer)));
	if (answer->status != created)
		return refused(url, *answer);
	const auto document = parse(url, *answer);
	if (!document)
		return std::unexpected(document.error());
	const auto token = answer->headers.find("x-subject-token");
	if (token == answer->headers.end())
		return fail(ExitCode::io_error, fmt::format("{}: its answer has no X-Subject-Token", url));
	token_ = token->second;
	const auto &body_of_token = member(*document, "token");
	project_ = text(member(body_of_token, "project"), "name");
	return find_services(member(body_of_token, "catalog"));
}

Result<void> OpenStack::find_services(const json &catalog)
{
	const auto find = [&](const std::string &type, const std::string &configured) {
		return without_slash(configured.empty() ? find_endpoint(catalog, *cloud_, type, region_)
		                                        : configured);
	};
	compute_ = find("compute", cloud_->compute_endpoint);
	image_ = find("image", cloud_->image_endpoint);
	drop_end(image_, "/v2");
	if (compute_.empty())
		return no_endpoint(catalog, *cloud_, "compute");
	if (image_.empty())
		return no_endpoint(catalog, *cloud_, "image");
	return {};
}

Result<HttpAnswer> OpenStack::ask(const std::string &url, const std::vector<std::string> &headers)
{
	for (const bool again : {false, true}) {
		auto all = headers;
		all.push_back("X-Auth-Token: " + token_);
		all.emplace_back("Accept: application/json");
		auto answer = http_->get(url, all);
		wipe(all[headers.size()]);
		// A token may expire while we read. If we logged in with a token, we cannot get a new one.
		if (!answer || answer->status != unauthorized || again || cloud_->auth_type == "token")
			return answer;
		if (auto renewed = renew(); !renewed)
			return std::unexpected(renewed.error());
	}
	return fail(ExitCode::not_permitted, url);
}

Result<void> OpenStack::pages(const std::string &url, const std::string &key,
                              const std::vector<std::string> &headers, const Take &take)
{
	const auto base = url.substr(0, url.find('?'));
	std::string now = url;
	std::set<std::string> seen;
	while (seen.insert(now).second) {
		const auto answer = ask(now, headers);
		if (!answer)
			return std::unexpected(answer.error());
		if (answer->status != 200)
			return refused(now, *answer);
		const auto document = parse(now, *answer);
		if (!document)
			return std::unexpected(document.error());
		const auto &list = member(*document, key.c_str());
		if (!list.is_array())
			return fail(ExitCode::io_error,
			            fmt::format("{}: its answer has no list of {}", now, key));
		for (const auto &entry : list)
			if (auto taken = take(entry); !taken)
				return taken;
		const auto query = next_query(*document, key);
		if (query.empty() || list.empty())
			return {};
		now = base + query;
	}
	return fail(ExitCode::io_error,
	            fmt::format("{}: this page was already read, so the list would never end", now));
}

Result<std::optional<unsigned>> OpenStack::compute_microversion()
{
	const auto answer = ask(compute_ + "/");
	if (!answer)
		return std::unexpected(answer.error());
	const auto document = json::parse(answer->body, nullptr, false);
	const auto version = text(member(document, "version"), "version");
	const auto dot = version.find('.');
	unsigned minor = 0;
	if (answer->status != 200 || dot == std::string::npos)
		return std::nullopt;
	const auto *const end = version.data() + version.size();
	const auto [rest, wrong] = std::from_chars(version.data() + dot + 1, end, minor);
	return wrong == std::errc() && rest == end ? std::optional(minor) : std::nullopt;
}

Result<void> OpenStack::list_flavors(std::vector<Flavor> &flavors, bool with_specs,
                                     const Found &found)
{
	flavors.clear();
	std::vector<std::string> headers;
	if (with_specs)
		headers.emplace_back(with_extra_specs);
	return pages(compute_ + "/flavors/detail?is_public=None", "flavors", headers,
	             [&](const json &entry) -> Result<void> {
		             Flavor flavor{.id = text(entry, "id"), .name = text(entry, "name")};
		             const auto &is_public = member(entry, "os-flavor-access:is_public");
		             flavor.is_public = !is_public.is_boolean() || is_public.get<bool>();
		             flavor.specs_known = entry.is_object() && entry.contains("extra_specs");
		             for (const auto &[key, value] : member(entry, "extra_specs").items())
			             flavor.extra_specs[key] = plain(value);
		             flavors.push_back(std::move(flavor));
		             found(fmt::format("{} flavors", flavors.size()));
		             return {};
	             });
}

Result<long> OpenStack::read_specs(Flavor &flavor)
{
	const auto url = compute_ + "/flavors/" + flavor.id + "/os-extra_specs";
	const auto answer = ask(url);
	if (!answer)
		return std::unexpected(answer.error());
	if (answer->status == forbidden || answer->status == not_found)
		return answer->status;
	if (answer->status != 200)
		return refused(url, *answer);
	const auto document = parse(url, *answer);
	if (!document)
		return std::unexpected(document.error());
	for (const auto &[key, value] : member(*document, "extra_specs").items())
		flavor.extra_specs[key] = plain(value);
	flavor.specs_known = true;
	return answer->status;
}

Result<std::vector<Flavor>> OpenStack::flavors(const Found &found)
{
	// An older Nova answers "not acceptable", and gets the request without the header.
	const auto probe = ask(compute_ + "/flavors/detail?limit=1", {with_extra_specs});
	if (!probe)
		return std::unexpected(probe.error());
	std::vector<Flavor> flavors;
	if (auto listed = list_flavors(flavors, probe->status != not_acceptable, found); !listed)
		return std::unexpected(listed.error());
	for (auto flavor = flavors.begin(); flavor != flavors.end();) {
		const auto status = flavor->specs_known ? Result<long>(200) : read_specs(*flavor);
		if (!status)
			return std::unexpected(status.error());
		if (*status == forbidden)
			break; // a policy treats all flavors alike
		if (*status == not_found) {
			flavor = flavors.erase(flavor); // it was deleted after it was listed
			continue;
		}
		++flavor;
		found(
		    fmt::format("{} of {} flavors' extra specs", flavor - flavors.begin(), flavors.size()));
	}
	return flavors;
}

Result<std::vector<Image>> OpenStack::images(const Found &found)
{
	std::vector<Image> images;
	// Hidden images need a request of their own; visibility=all means all that this user may see.
	for (const bool hidden : {false, true}) {
		auto listed =
		    pages(fmt::format("{}/v2/images?visibility=all&os_hidden={}", image_, hidden), "images",
		          {}, [&](const json &entry) -> Result<void> {
			          Image image{.id = text(entry, "id"),
			                      .name = text(entry, "name"),
			                      .visibility = text(entry, "visibility"),
			                      .status = text(entry, "status"),
			                      .hidden = hidden};
			          if (const auto &model = member(entry, "hw_rng_model"); !model.is_object())
				          image.rng_model = plain(model);
			          images.push_back(std::move(image));
			          found(fmt::format("{} images", images.size()));
			          return {};
		          });
		if (!listed)
			return std::unexpected(listed.error());
	}
	return images;
}

} // namespace hwrngd
