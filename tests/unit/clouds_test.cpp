// SPDX-License-Identifier: GPL-2.0-or-later
// How `check openstack` reads a cloud's configuration.
#include "cloud/clouds.h"

#include "fake_tree.h"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// An environment, and two folders for clouds.yaml; the first one has priority.
class Places : public FakeTree {
public:
	std::map<std::string, std::string> environment;

	[[nodiscard]] Result<Cloud> find(const CloudOptions &options = {}) const
	{
		return find_cloud(
		    {.folders = {at("/here"), at("/etc")},
		     .variable = [this](const std::string &name) -> std::optional<std::string> {
			     const auto found = environment.find(name);
			     if (found == environment.end())
				     return std::nullopt;
			     return found->second;
		     }},
		    options);
	}
	/// The error message; "nothing" without an error.
	[[nodiscard]] std::string error(const CloudOptions &options = {}) const
	{
		const auto cloud = find(options);
		if (cloud)
			return "nothing";
		EXPECT_EQ(cloud.error().code, ExitCode::usage) << cloud.error().message;
		return cloud.error().message;
	}
};

constexpr const char *one_cloud = "clouds:\n"
                                  "  only:\n"
                                  "    auth: {auth_url: 'https://there/v3', username: me}\n"
                                  "    region_name: one\n";

TEST(Clouds, TheOnlyCloudIsUsedWithItsSecretFromSecureYaml)
{
	Places places;
	places.file("/etc/clouds.yaml", one_cloud);
	EXPECT_NE(places.error().find("cloud only of " + places.at("/etc/clouds.yaml").string() +
	                              ": password (OS_PASSWORD) is missing"),
	          std::string::npos)
	    << places.error();
	places.file("/etc/secure.yaml", "clouds: {only: {auth: {password: secret}}}");
	const auto cloud = places.find();
	ASSERT_TRUE(cloud) << cloud.error().message;
	EXPECT_EQ(cloud->name, "only");
	EXPECT_EQ(cloud->auth_type, "password");
	EXPECT_EQ(cloud->find("auth_url"), "https://there/v3");
	EXPECT_EQ(cloud->find("username"), "me");
	EXPECT_EQ(cloud->find("password"), "secret");
	EXPECT_EQ(cloud->region, "one");
	EXPECT_EQ(cloud->interface, "public");
	EXPECT_TRUE(cloud->verify);
}

TEST(Clouds, OptionsOverrideFilesAndFilesOverrideVariables)
{
	Places places;
	places.file("/etc/clouds.yaml", one_cloud);
	places.file(
	    "/here/clouds.json",
	    R"({"clouds": {"near": {"auth": {"auth_url": "https://near", "username": "me"}}}})");
	places.environment = {{"OS_PASSWORD", "secret"},
	                      {"OS_USERNAME", "somebody else"},
	                      {"OS_REGION_NAME", "of the variables"}};
	const auto cloud = places.find();
	ASSERT_TRUE(cloud) << cloud.error().message;
	EXPECT_EQ(cloud->name, "near");
	EXPECT_EQ(cloud->find("username"), "me") << "the file overrides the variables";
	EXPECT_EQ(cloud->find("password"), "secret") << "the variables add what the file lacks";
	EXPECT_EQ(cloud->region, "of the variables");
	EXPECT_EQ(places.find({.region = "of the command line"})->region, "of the command line");

	places.environment["OS_CLIENT_CONFIG_FILE"] = places.at("/etc/clouds.yaml").string();
	EXPECT_EQ(places.find()->name, "only");
	places.environment["OS_CLIENT_CONFIG_FILE"] = places.at("/etc/gone.yaml").string();
	EXPECT_NE(places.error().find("/etc/gone.yaml: it cannot be read"), std::string::npos);
}

TEST(Clouds, MergeKeysAreApplied)
{
	Places places;
	places.file("/etc/clouds.yaml",
	            "clouds:\n"
	            "  base: &base {auth: &auth {auth_url: a, username: u}, region_name: r}\n"
	            "  same: {<<: *base}\n"
	            "  other: {<<: [{region_name: s}, *base], auth: {<<: *auth, username: v}}\n");
	places.file("/etc/secure.yaml",
	            "clouds: {same: {auth: {password: p}}, other: {auth: {password: q}}}");
	const auto same = places.find({.cloud = "same"});
	ASSERT_TRUE(same) << same.error().message;
	EXPECT_EQ(same->find("username"), "u");
	EXPECT_EQ(same->find("password"), "p");
	EXPECT_EQ(same->region, "r");
	const auto other = places.find({.cloud = "other"});
	ASSERT_TRUE(other) << other.error().message;
	EXPECT_EQ(other->find("auth_url"), "a");
	EXPECT_EQ(other->find("username"), "v");
	EXPECT_EQ(other->find("password"), "q");
	EXPECT_EQ(other->region, "s");

	const auto path = places.at("/etc/clouds.yaml").string();
	places.file("/etc/clouds.yaml", "clouds: {one: {<<: two}}\n");
	EXPECT_EQ(places.error(), path + ", line 1: << does not name a table");
	places.file("/etc/clouds.yaml", "clouds: &it {one: *it}\n");
	EXPECT_EQ(places.error(), path + ", line 1: it is nested too deeply");
}

TEST(Clouds, VariablesAreEnough)
{
	Places places;
	EXPECT_NE(places.error().find("there is no clouds.yaml in"), std::string::npos);
	places.environment = {{"OS_AUTH_URL", "https://there"},    {"OS_USERNAME", "me"},
	                      {"OS_PASSWORD", "secret"},           {"OS_TENANT_NAME", "an old word"},
	                      {"OS_ENDPOINT_TYPE", "internalURL"}, {"OS_INSECURE", "yes"}};
	const auto cloud = places.find();
	ASSERT_TRUE(cloud) << cloud.error().message;
	EXPECT_EQ(cloud->name, "envvars");
	EXPECT_EQ(cloud->find("project_name"), "an old word");
	EXPECT_EQ(cloud->interface, "internal");
	EXPECT_FALSE(cloud->verify);
}

TEST(Clouds, VariablesOfAnotherCloudAreNotMixedIn)
{
	Places places;
	places.environment = {{"OS_USER_ID", "their"},
	                      {"OS_USER_DOMAIN_ID", "their"},
	                      {"OS_PROJECT_ID", "their"},
	                      {"OS_PROJECT_NAME", "their"},
	                      {"OS_AUTH_TYPE", "v3applicationcredential"},
	                      {"OS_APPLICATION_CREDENTIAL_ID", "their"},
	                      {"OS_APPLICATION_CREDENTIAL_SECRET", "their"}};
	places.file("/etc/clouds.yaml",
	            "clouds: {only: {auth: {auth_url: a, username: me, user_domain_name: my, "
	            "password: my, tenant_name: my}}}");
	const auto cloud = places.find();
	ASSERT_TRUE(cloud) << cloud.error().message;
	EXPECT_EQ(cloud->auth_type, "password");
	EXPECT_EQ(cloud->find("project_name"), "my");
	for (const auto *key : {"user_id", "user_domain_id", "project_id"})
		EXPECT_FALSE(cloud->find(key)) << key;

	places.file("/etc/clouds.yaml",
	            "clouds: {only: {auth: {auth_url: a, application_credential_id: my}}}");
	places.environment["OS_PASSWORD"] = "their";
	places.environment["OS_AUTH_TYPE"] = "password";
	const auto credential = places.find();
	ASSERT_TRUE(credential) << credential.error().message;
	EXPECT_EQ(credential->auth_type, "application_credential");
	EXPECT_EQ(credential->find("application_credential_secret"), "their") << "the file lacks it";
}

TEST(Clouds, TheCredentialDecidesHowToLogIn)
{
	const auto type = [](const std::string &more) {
		Places places;
		places.file("/etc/clouds.yaml",
		            "clouds: {only: {auth: {auth_url: 'https://there', " + more + "}");
		const auto cloud = places.find();
		return cloud ? cloud->auth_type : cloud.error().message;
	};
	EXPECT_EQ(type("application_credential_id: i, application_credential_secret: s}}"),
	          "application_credential");
	EXPECT_EQ(type("token: t}}"), "token");
	EXPECT_EQ(type("username: u, password: p}}"), "password");
	EXPECT_EQ(type("token: t}, auth_type: v3token}"), "token");
	EXPECT_NE(type("token: t}, auth_type: v3oidcpassword}")
	              .find("auth_type v3oidcpassword: it must be password, token or "
	                    "v3applicationcredential"),
	          std::string::npos);
	EXPECT_NE(type("application_credential_name: n, application_credential_secret: s}}")
	              .find("username (OS_USERNAME), for an application credential by its name"),
	          std::string::npos);
}

TEST(Clouds, ErrorsNameTheFileAndTheLine)
{
	Places places;
	const auto path = places.at("/etc/clouds.yaml").string();
	places.file("/etc/clouds.yaml", "clouds:\n  one: {auth: [\n");
	EXPECT_TRUE(places.error().starts_with(path + ", line ")) << places.error();
	places.file("/etc/clouds.yaml", "- one\n");
	EXPECT_EQ(places.error(), path + ", line 1: it is not a table of keys and values");
	places.file("/etc/clouds.yaml", "clouds: {}\n");
	EXPECT_EQ(places.error(), path + ": it has no cloud below `clouds`");
	places.file("/etc/clouds.yaml", "clouds: {one: {}, two: {}}\n");
	EXPECT_EQ(places.error(),
	          path + ": it has 2 clouds; choose one with --os-cloud or OS_CLOUD: one, two");
	EXPECT_EQ(places.error({.cloud = "three"}),
	          "cloud three: " + path + " does not have it; it has: one, two");
	EXPECT_EQ(places.error({.cloud = "one"}),
	          "cloud one of " + path + ": auth_url (OS_AUTH_URL) is missing");
	places.file("/etc/clouds.yaml",
	            "clouds:\n  one:\n    auth: {auth_url: a, username: [u], password: p}\n");
	EXPECT_EQ(places.error(), path + ", line 3: cloud one: username must be a single value");
	const std::string good = "clouds: {one: {auth: {auth_url: a, username: u, password: p}, ";
	places.file("/etc/clouds.yaml", good + "interface: outside}}");
	EXPECT_EQ(places.error(), "cloud one: interface outside: it must be public, internal or admin");
	places.file("/etc/clouds.yaml", good + "verify: /etc/ssl/ca.pem}}");
	EXPECT_EQ(places.error(), "cloud one: verify /etc/ssl/ca.pem: it must be true or false");
	places.file("/etc/clouds.yaml", good + "verify: No}}");
	EXPECT_FALSE(places.find()->verify);
	places.file("/etc/clouds.yaml", good + "cacert: ~/ca.pem}}");
	places.environment["HOME"] = places.at("/home").string();
	EXPECT_EQ(places.error(),
	          "cloud one: " + places.at("/home/ca.pem").string() + ": there is no such file");
	places.file("/home/ca.pem", "");
	EXPECT_EQ(places.error(), "nothing");
	places.file("/etc/clouds.yaml", good + "profile: vendor}}");
	EXPECT_EQ(places.error(), "nothing") << "it has an auth_url of its own";
	places.file("/etc/clouds.yaml", "clouds: {one: {profile: vendor, auth: {username: u}}}");
	EXPECT_NE(places.error().find("its profile vendor is in no clouds-public.yaml"),
	          std::string::npos);
	places.file("/here/clouds-public.yaml",
	            "public-clouds: {vendor: {auth: {auth_url: 'https://vendor'}, region_name: r}}");
	places.environment["OS_PASSWORD"] = "p";
	const auto cloud = places.find();
	ASSERT_TRUE(cloud) << cloud.error().message;
	EXPECT_EQ(cloud->find("auth_url"), "https://vendor");
	EXPECT_EQ(cloud->find("username"), "u");
	EXPECT_EQ(cloud->region, "r");
}

TEST(Clouds, ASecureFileThatOnlyRootMayReadIsSkipped)
{
	Places places;
	places.file("/here/clouds.yaml", one_cloud);
	places.file("/etc/secure.yaml", "clouds: {only: {auth: {password: of root}}}");
	places.environment["OS_PASSWORD"] = "mine";
	EXPECT_EQ(places.find()->find("password"), "of root");
	namespace fs = std::filesystem;
	fs::permissions(places.at("/"), fs::perms(0755));
	fs::permissions(places.at("/etc/secure.yaml"), fs::perms(0));
	constexpr uid_t nobody = 65534;
	const bool root = geteuid() == 0;
	ASSERT_TRUE(!root || seteuid(nobody) == 0);
	const auto cloud = places.find();
	places.environment["OS_CLIENT_SECURE_FILE"] = places.at("/etc/secure.yaml").string();
	const auto named = places.find();
	ASSERT_TRUE(!root || seteuid(0) == 0);
	ASSERT_TRUE(cloud) << cloud.error().message;
	EXPECT_EQ(cloud->find("password"), "mine");
	ASSERT_FALSE(named);
	EXPECT_TRUE(named.error().message.ends_with("it cannot be read: Permission denied"))
	    << named.error().message;
}

TEST(Clouds, PossibleSecretsAreNotQuoted)
{
	Places places;
	const std::string good = "clouds: {one: {auth: {username: u, auth_url: ";
	places.file("/etc/secure.yaml", R"(clouds: {one: {auth: {password: "s\cret"}}})");
	places.file("/etc/clouds.yaml", good + "a}}}");
	EXPECT_EQ(places.error(),
	          places.at("/etc/secure.yaml").string() + ", line 1: unknown escape character");
	places.file("/etc/secure.yaml", "clouds: {one: {auth: {password: *secret}}}");
	EXPECT_EQ(places.error(), places.at("/etc/secure.yaml").string() +
	                              ", line 1: the referenced anchor is not defined");
	places.file("/etc/secure.yaml", "clouds: {one: {auth: {password: p}}}");
	for (const auto *url :
	     {"'https://u:secret@there/v3'", "a}, image_endpoint_override: 'u:s@b'"}) {
		places.file("/etc/clouds.yaml", good + url + (url[0] == 'a' ? "}}" : "}}}"));
		EXPECT_EQ(places.error(),
		          "cloud one: an address contains a user name, and would be printed "
		          "with it: write username and password below `auth` instead");
	}
	places.file("/etc/clouds.yaml", good + "'https://there/@v3'}}}");
	EXPECT_EQ(places.error(), "nothing");
}

} // namespace
