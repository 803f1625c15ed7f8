// SPDX-License-Identifier: GPL-2.0-or-later
// `check openstack` with services that misbehave. tests/peers/openstack uses real services.
#include "cloud/http.h"
#include "cloud/hw_rng.h"
#include "cloud/openstack.h"

#include "fake_tree.h"
#include "run_hwrngctl.h"
#include "scripted_server.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned ussuri = 87;

HwRng of_flavor(std::map<std::string, std::string> specs, unsigned microversion = ussuri)
{
	return hw_rng_of(Flavor{.id = "f", .name = "f", .extra_specs = std::move(specs)}, microversion);
}

HwRng of_image(std::optional<std::string> model, unsigned microversion = ussuri)
{
	return hw_rng_of(Image{.id = "i",
	                       .name = "i",
	                       .visibility = "public",
	                       .status = "active",
	                       .rng_model = std::move(model)},
	                 microversion);
}

TEST(HwRng, OldNovasNeedBothAttributes)
{
	EXPECT_EQ(of_flavor({}).effect, Effect::yes);
	EXPECT_EQ(of_flavor({}, ussuri - 1).effect, Effect::no);
	EXPECT_EQ(of_image(std::nullopt).effect, Effect::yes);
	EXPECT_EQ(of_image(std::nullopt, ussuri - 1).effect, Effect::no);
	EXPECT_EQ(of_image("virtio", ussuri - 1).effect, Effect::yes);
	EXPECT_EQ(hw_rng_of(Flavor{.id = "f", .name = "f"}, std::nullopt).effect, Effect::yes)
	    << "without a version, Nova is taken for a current one";
	for (const auto &rng : {of_flavor({}), of_image(std::nullopt)})
		EXPECT_FALSE(rng.literal) << "the standard still warns";
}

TEST(HwRng, AnInvalidRateIsNamed)
{
	EXPECT_EQ(of_flavor({{"hw_rng:allowed", "True"}, {"hw_rng:rate_period", "soon"}}).effect,
	          Effect::yes)
	    << "without a rate, the period is not read";
	const auto rng = of_flavor({{"hw_rng:allowed", "True"}, {"hw_rng:rate_bytes", "1k"}});
	EXPECT_TRUE(rng.literal);
	EXPECT_EQ(rng.effect, Effect::no);
	EXPECT_EQ(rng.remedy, "openstack flavor unset --property hw_rng:rate_bytes f");
}

TEST(HwRng, ARemedyIsQuotedForTheShell)
{
	EXPECT_EQ(hw_rng_of(Flavor{.id = "m1.tiny-2_a", .name = "f"}, ussuri).remedy,
	          "openstack flavor set --property hw_rng:allowed=True m1.tiny-2_a");
	EXPECT_EQ(hw_rng_of(Flavor{.id = "my flavor", .name = "f"}, ussuri).remedy,
	          "openstack flavor set --property hw_rng:allowed=True 'my flavor'");
	EXPECT_EQ(
	    hw_rng_of(Image{.id = "i'; rm -r *", .name = "i", .visibility = "", .status = ""}, ussuri)
	        .remedy,
	    R"(openstack image set --property hw_rng_model=virtio 'i'\''; rm -r *')");
	EXPECT_EQ(
	    hw_rng_of(Flavor{.id = "",
	                     .name = "f",
	                     .extra_specs = {{"hw_rng:allowed", "1"}, {"hw_rng:rate_bytes", "x"}}},
	              ussuri)
	        .remedy,
	    "openstack flavor unset --property hw_rng:rate_bytes ''");
}

TEST(HwRng, HiddenExtraSpecsAreNotJudged)
{
	const auto rng = hw_rng_of(Flavor{.id = "f", .name = "f", .specs_known = false}, ussuri);
	EXPECT_EQ(rng.effect, Effect::unknown);
	EXPECT_EQ(rng.found, "not shown to this user");
}

struct HttpReply {
	std::string status; ///< "200 OK"
	std::string body = "{}";
	std::string headers = {}; ///< each with its line end
};

/// Answers one request after the other, each on its own connection.
class HttpServer {
public:
	explicit HttpServer(std::vector<HttpReply> replies)
	    : replies_(std::move(replies)),
	      server_(std::vector<ScriptedServer::Script>(replies_.size(),
	                                                  [this](const Talk &talk) { serve(talk); }))
	{
	}

	[[nodiscard]] std::string url() const
	{
		return "http://127.0.0.1:" + std::to_string(server_.port());
	}
	/// The first lines of the requests.
	[[nodiscard]] std::vector<std::string> asked()
	{
		const std::lock_guard lock(mutex_);
		return asked_;
	}
	/// The body of the last request.
	[[nodiscard]] std::string body()
	{
		const std::lock_guard lock(mutex_);
		return body_;
	}

private:
	void serve(const Talk &talk)
	{
		std::string request;
		size_t body = 0;
		while (!request.ends_with("\r\n\r\n")) {
			const int byte = talk.next();
			if (byte < 0)
				return;
			request.push_back(static_cast<char>(byte));
		}
		constexpr std::string_view length = "Content-Length: ";
		if (const auto at = request.find(length); at != std::string::npos)
			body = std::stoul(request.substr(at + length.size()));
		for (size_t i = 0; i < body; i++)
			request.push_back(static_cast<char>(talk.next()));
		const std::lock_guard lock(mutex_);
		const auto &reply = replies_.at(asked_.size());
		asked_.push_back(request.substr(0, request.find(" HTTP/")));
		body_ = request.substr(request.size() - body);
		const auto text = "HTTP/1.1 " + reply.status + "\r\nConnection: close\r\n" + reply.headers +
		                  "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" +
		                  reply.body;
		talk.send({text.begin(), text.end()});
	}

	std::vector<HttpReply> replies_;
	std::mutex mutex_;
	std::vector<std::string> asked_;
	std::string body_;
	ScriptedServer server_; // last, because its thread uses the members above
};

Result<HttpAnswer> get(const std::string &url, std::chrono::milliseconds timeout = 20s)
{
	Http http({.timeout = timeout, .first_pause = 1ms});
	return http.get(url, {"X-Auth-Token: t"});
}

TEST(Http, ABusyServerIsAskedAgain)
{
	HttpServer server({{"503 Service Unavailable"},
	                   {"429 Too Many Requests", "", "Retry-After: 0\r\n"},
	                   {"200 OK", "here", "X-Some: thing \r\n"}});
	const auto answer = get(server.url());
	ASSERT_TRUE(answer) << answer.error().message;
	EXPECT_EQ(answer->status, 200);
	EXPECT_EQ(answer->body, "here");
	EXPECT_EQ(answer->headers.at("x-some"), "thing");
	EXPECT_EQ(server.asked().size(), 3U);
}

TEST(Http, TheNumberOfTriesIsLimited)
{
	HttpServer server(std::vector<HttpReply>(5, {"503 Service Unavailable"}));
	const auto answer = get(server.url());
	ASSERT_TRUE(answer) << answer.error().message;
	EXPECT_EQ(answer->status, 503);
	EXPECT_EQ(server.asked().size(), 4U);
}

TEST(Http, RedirectsAreNotFollowed)
{
	HttpServer server({{"302 Found", "", "Location: http://127.0.0.1:1/\r\n"}});
	const auto answer = get(server.url());
	ASSERT_TRUE(answer) << answer.error().message;
	EXPECT_EQ(answer->status, 302);
}

TEST(Http, SilenceAndNonsenseAreErrors)
{
	const ScriptedServer silent(
	    std::vector<ScriptedServer::Script>(4, [](const Talk &talk) { talk.wait_for_end(); }));
	const auto url = "http://127.0.0.1:" + std::to_string(silent.port());
	const auto nothing = get(url, 50ms);
	ASSERT_FALSE(nothing);
	EXPECT_EQ(nothing.error().code, ExitCode::unavailable);
	EXPECT_TRUE(nothing.error().message.starts_with(url + ": ")) << nothing.error().message;
	EXPECT_TRUE(nothing.error().message.ends_with(", tried 4 times")) << nothing.error().message;
	EXPECT_EQ(get("file:///etc/passwd").error().code, ExitCode::usage);
	EXPECT_EQ(get("no address").error().code, ExitCode::usage);
}

TEST(Http, TheSizeOfAnAnswerIsLimited)
{
	HttpServer server({{"200 OK", std::string((size_t{64} << 20) + 1, ' ')}});
	const auto answer = get(server.url());
	ASSERT_FALSE(answer);
	EXPECT_EQ(answer.error().code, ExitCode::io_error);
	EXPECT_EQ(answer.error().message, server.url() + ": its answer is longer than 64 MiB");
}

TEST(Http, AProxysPasswordIsNotPrinted)
{
	setenv("http_proxy", "http://u:secret@there:99999", 1);
	const auto answer = get("http://cloud.invalid");
	unsetenv("http_proxy");
	ASSERT_FALSE(answer);
	EXPECT_EQ(answer.error().message, "http://cloud.invalid: Couldn't resolve proxy name");
}

/// The answer to a login, with a catalog that has Nova and Glance at `url`.
HttpReply login(const std::string &url)
{
	const auto service = [&](const std::string &type) {
		return R"({"type": ")" + type +
		       R"(", "endpoints": [{"interface": "public", "region_id": "one", "url": ")" + url +
		       R"("}]})";
	};
	return {"201 Created",
	        R"({"token": {"project": {"name": "p"}, "catalog": [)" + service("compute") + ", " +
	            service("image") + "]}}",
	        "X-Subject-Token: t\r\n"};
}

/// Logs in to one server, and sends requests to another one.
class CloudOfTwo {
public:
	explicit CloudOfTwo(std::vector<HttpReply> replies, size_t logins = 1)
	    : services(std::move(replies)),
	      identity(std::vector<HttpReply>(logins, login(services.url()))),
	      http({.timeout = 20s, .first_pause = 1ms})
	{
		cloud.name = "of two";
		cloud.auth_type = "password";
		cloud.auth = {{"auth_url", identity.url()}, {"username", "u"}, {"password", "p"}};
	}

	template <typename Ask> auto ask(Ask ask)
	{
		auto stack = OpenStack::log_in(cloud, http);
		EXPECT_TRUE(stack) << stack.error().message;
		return ask(*stack);
	}

	HttpServer services;
	HttpServer identity;
	Cloud cloud;
	Http http;
};

const auto flavors = [](OpenStack &stack) { return stack.flavors([](const std::string &) {}); };
const auto images = [](OpenStack &stack) { return stack.images([](const std::string &) {}); };

TEST(OpenStack, AnOldNovaIsAskedForEachFlavorsExtraSpecs)
{
	CloudOfTwo two({{"406 Not Acceptable"},
	                {"200 OK", R"({"flavors": [{"id": "1"}, {"id": "2"}, {"id": "3"}]})"},
	                {"200 OK", R"({"extra_specs": {"hw_rng:allowed": "True"}})"},
	                {"404 Not Found"},
	                {"200 OK"}});
	const auto found = two.ask(flavors);
	ASSERT_TRUE(found) << found.error().message;
	ASSERT_EQ(found->size(), 2U) << "one was deleted in the meantime";
	EXPECT_TRUE(found->at(0).specs_known);
	EXPECT_EQ(found->at(0).extra_specs.at("hw_rng:allowed"), "True");
	EXPECT_EQ(found->at(1).id, "3");
	EXPECT_TRUE(found->at(1).specs_known);
	EXPECT_EQ(two.services.asked().at(3), "GET /flavors/2/os-extra_specs");
}

TEST(OpenStack, ForbiddenExtraSpecsAreRequestedOnlyOnce)
{
	CloudOfTwo two({{"200 OK", R"({"flavors": []})"},
	                {"200 OK", R"({"flavors": [{"id": "1"}, {"id": "2"}]})"},
	                {"403 Forbidden"}});
	const auto found = two.ask(flavors);
	ASSERT_TRUE(found) << found.error().message;
	ASSERT_EQ(found->size(), 2U);
	EXPECT_FALSE(found->at(0).specs_known);
	EXPECT_FALSE(found->at(1).specs_known);
	EXPECT_EQ(two.services.asked().size(), 3U);
}

TEST(OpenStack, DomainNameIsForUserAndProject)
{
	CloudOfTwo two({}, 2);
	two.cloud.auth["domain_name"] = "d";
	two.ask([](OpenStack &) { return 0; });
	EXPECT_NE(two.identity.body().find(R"("user":{"domain":{"id":"default"})"), std::string::npos)
	    << two.identity.body();
	EXPECT_NE(two.identity.body().find(R"("scope":{"domain":{"name":"d"}})"), std::string::npos)
	    << two.identity.body();
	two.cloud.auth["project_name"] = "p";
	two.ask([](OpenStack &) { return 0; });
	EXPECT_NE(two.identity.body().find(R"("user":{"domain":{"name":"d"})"), std::string::npos)
	    << two.identity.body();
	EXPECT_NE(two.identity.body().find(R"("project":{"domain":{"name":"d"},"name":"p"})"),
	          std::string::npos)
	    << two.identity.body();
}

TEST(OpenStack, NestedValuesAreShownByTheirType)
{
	constexpr size_t deep = 1'000'000;
	CloudOfTwo two(
	    {{"200 OK", R"({"flavors": []})"},
	     {"200 OK", R"({"flavors": [{"id": "1", "extra_specs": {"hw_rng:allowed": )" +
	                    std::string(deep, '[') + std::string(deep, ']') + R"(, "a": true}}]})"}});
	const auto found = two.ask(flavors);
	ASSERT_TRUE(found) << found.error().message;
	EXPECT_EQ(found->at(0).extra_specs.at("hw_rng:allowed"), "array");
	EXPECT_EQ(found->at(0).extra_specs.at("a"), "true");
}

TEST(OpenStack, TheNextPageIsRequestedFromTheSameServer)
{
	CloudOfTwo two({{"200 OK", R"({"flavors": []})"},
	                {"200 OK", R"({"flavors": [{"id": "1", "extra_specs": {}}], "flavors_links":
	                    [{"rel": "next", "href": "http://elsewhere.example/flavors?marker=1"}]})"},
	                {"200 OK", R"({"flavors": [{"id": "2", "extra_specs": {}}]})"}});
	const auto found = two.ask(flavors);
	ASSERT_TRUE(found) << found.error().message;
	EXPECT_EQ(found->size(), 2U);
	EXPECT_EQ(two.services.asked().back(), "GET /flavors/detail?marker=1");
}

TEST(OpenStack, EndlessPagesAreAnError)
{
	const auto page = [](const std::string &next) {
		return HttpReply{"200 OK",
		                 R"({"images": [{"id": "1"}], "next": "/v2/images?marker=)" + next + "\"}"};
	};
	CloudOfTwo two({page("1"), page("2"), page("1")});
	const auto found = two.ask(images);
	ASSERT_FALSE(found);
	EXPECT_TRUE(found.error().message.ends_with(
	    "/v2/images?marker=1: this page was already read, so the list would never end"))
	    << found.error().message;
}

TEST(OpenStack, AnExpiredTokenIsRenewedOnce)
{
	CloudOfTwo two({{"401 Unauthorized"},
	                {"200 OK", R"({"images": []})"},
	                {"401 Unauthorized"},
	                {"401 Unauthorized", R"({"error": {"message": "no\u001b[31m"}})"}},
	               3);
	const auto found = two.ask(images);
	ASSERT_FALSE(found);
	EXPECT_EQ(found.error().code, ExitCode::not_permitted);
	EXPECT_TRUE(found.error().message.ends_with(": HTTP 401: no [31m")) << found.error().message;
	EXPECT_EQ(two.identity.asked().size(), 3U);
}

TEST(OpenStack, UnusableAnswersAreNamed)
{
	for (const auto &[reply, said] : std::vector<std::pair<HttpReply, std::string>>{
	         {{"200 OK", "<html>"}, "its answer is not a JSON object"},
	         {{"200 OK", "{}"}, "its answer has no list of images"},
	         {{"404 Not Found"}, "is that the address of an OpenStack service?"},
	         {{"300 Multiple Choices"}, "is that the address of an OpenStack service?"},
	         {{"301 Moved", "", "Location: http://elsewhere.example/\r\n"},
	          "it redirects to http://elsewhere.example/"}}) {
		CloudOfTwo two({reply});
		const auto found = two.ask(images);
		ASSERT_FALSE(found);
		EXPECT_NE(found.error().message.find(said), std::string::npos) << found.error().message;
	}
}

TEST(OpenStack, ALoginWithoutATokenIsAnError)
{
	HttpServer identity({{"201 Created"}});
	Cloud cloud;
	cloud.auth_type = "password";
	cloud.auth = {{"auth_url", identity.url()}, {"username", "u"}, {"password", "p"}};
	Http http({.timeout = 20s, .first_pause = 1ms});
	const auto stack = OpenStack::log_in(cloud, http);
	ASSERT_FALSE(stack);
	EXPECT_NE(stack.error().message.find("its answer has no X-Subject-Token"), std::string::npos);
	EXPECT_EQ(identity.asked().at(0), "POST /v3/auth/tokens");
}

/// Runs hwrngctl with a cloud that answers like this at login and as Nova.
Ran check_openstack(const HttpReply &login, const std::string &services,
                    const std::string &more = "")
{
	const HttpServer identity({login});
	FakeTree tree;
	tree.file("/clouds.yaml", "clouds: {it: {auth: {auth_url: '" + identity.url() +
	                              "', username: u, password: p}, compute_endpoint_override: '" +
	                              services + "'}}");
	setenv("OS_CLIENT_CONFIG_FILE", tree.at("/clouds.yaml").c_str(), 1);
	auto ran = run(tree, "check openstack --os-cloud it --timeout 20" + more);
	unsetenv("OS_CLIENT_CONFIG_FILE");
	return ran;
}

TEST(CheckOpenStack, ControlCharactersFromACloudAreNotPrinted)
{
	// ESC, and the UTF-8 form of the control character CSI, which also begins a sequence.
	const std::string flavors =
	    R"({"flavors": [{"id": "1", "name": "a\u001b[31m\u009b31m\u00a7", "extra_specs": {}}]})";
	const HttpReply none{"200 OK", R"({"images": []})"};
	HttpServer services({none, none, {"200 OK", flavors}, none, none});
	auto reply = login(services.url());
	for (const auto *name : {R"("p")", R"("one")"})
		for (size_t at = 0; (at = reply.body.find(name, at)) != std::string::npos; at++)
			reply.body.replace(at, 2, R"("\u001b\u009b)");
	const auto ran = check_openstack(reply, services.url());
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_NE(ran.out.find(", region ??ne, project ??"), std::string::npos) << ran.out;
	EXPECT_NE(ran.out.find("| a?[31m?31m\u00a7 | public "), std::string::npos) << ran.out;
	EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
	EXPECT_EQ(ran.out.find("\u009b"), std::string::npos);

	const auto moved =
	    check_openstack({"302 Found", "", "Location: http://x/\x1b[31m\xc2\x9b\r\n"}, "");
	EXPECT_EQ(moved.code, 2);
	EXPECT_NE(moved.err.find("it redirects to http://x/?[31m?, but"), std::string::npos)
	    << moved.err;
}

TEST(CheckOpenStack, TheJsonOfAnImageHasItsStatusAndVisibility)
{
	const HttpReply none{"200 OK", R"({"flavors": [], "images": []})"};
	HttpServer services({none,
	                     none,
	                     none,
	                     none,
	                     {"200 OK", R"({"images": [{"id": "1", "name": "a", "status": "queued",
	                         "visibility": "public", "hw_rng_model": "virtio"}]})"}});
	const auto ran = check_openstack(login(services.url()), services.url(), " --output=json");
	EXPECT_EQ(ran.code, 0) << ran.err;
	const auto image = nlohmann::json::parse(ran.out).at("images").at(0);
	EXPECT_EQ(image.at("visibility"), "public");
	EXPECT_EQ(image.value("status", ""), "queued");
	EXPECT_EQ(image.value("hidden", false), true);
}

TEST(CheckOpenStack, NothingVisibleIsAFailure)
{
	const HttpReply none{"200 OK", R"({"flavors": [], "images": []})"};
	HttpServer services(std::vector<HttpReply>(5, none));
	const auto ran = check_openstack(login(services.url()), services.url());
	EXPECT_EQ(ran.code, 1) << ran.err;
	EXPECT_NE(ran.out.find("FAILED: this user sees nothing that can be judged"), std::string::npos)
	    << ran.out;
}

} // namespace
