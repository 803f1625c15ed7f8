// SPDX-License-Identifier: GPL-2.0-or-later
#include "cloud/clouds.h"

#include "cloud/yaml_file.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/ranges.h>

namespace hwrngd {

namespace {

namespace fs = std::filesystem;

constexpr const char *variables_name = "envvars";

/// A key of `auth`, and the variable with the same meaning. Keys for the same thing have the same
/// `thing`. Projects were once called tenants.
struct AuthKey {
	const char *key;
	const char *variable;
	std::string_view thing;
};
constexpr std::array<AuthKey, 22> auth_keys{{
    {"auth_url", "OS_AUTH_URL", "address"},
    {"username", "OS_USERNAME", "user"},
    {"user_id", "OS_USER_ID", "user"},
    {"password", "OS_PASSWORD", "password"},
    {"token", "OS_TOKEN", "token"},
    {"project_name", "OS_PROJECT_NAME", "scope"},
    {"project_id", "OS_PROJECT_ID", "scope"},
    {"tenant_name", "OS_TENANT_NAME", "scope"},
    {"tenant_id", "OS_TENANT_ID", "scope"},
    {"domain_name", "OS_DOMAIN_NAME", "scope"},
    {"domain_id", "OS_DOMAIN_ID", "scope"},
    {"system_scope", "OS_SYSTEM_SCOPE", "scope"},
    {"user_domain_name", "OS_USER_DOMAIN_NAME", "user's domain"},
    {"user_domain_id", "OS_USER_DOMAIN_ID", "user's domain"},
    {"project_domain_name", "OS_PROJECT_DOMAIN_NAME", "project's domain"},
    {"project_domain_id", "OS_PROJECT_DOMAIN_ID", "project's domain"},
    {"default_domain_name", "OS_DEFAULT_DOMAIN_NAME", "default domain"},
    {"default_domain_id", "OS_DEFAULT_DOMAIN_ID", "default domain"},
    {"default_domain_id", "OS_DEFAULT_DOMAIN", "default domain"},
    {"application_credential_id", "OS_APPLICATION_CREDENTIAL_ID", "credential"},
    {"application_credential_name", "OS_APPLICATION_CREDENTIAL_NAME", "credential"},
    {"application_credential_secret", "OS_APPLICATION_CREDENTIAL_SECRET", "its secret"},
}};

constexpr std::array secrets{"password", "token", "application_credential_secret"};

/// Reads the file that `variable` names; otherwise the folders' first STEM.yaml, .yml or .json.
Result<YamlFile> find_document(const CloudPlaces &places, const char *variable,
                               const std::string &stem)
{
	if (variable != nullptr)
		if (const auto named = places.variable(variable); named && !named->empty())
			return read_yaml(*named);
	for (const auto &folder : places.folders)
		for (const auto *suffix : {".yaml", ".yml", ".json"}) {
			const auto path = folder / (stem + suffix);
			std::error_code unreadable;
			if (!fs::exists(path, unreadable))
				continue;
			auto document = read_yaml(path);
			// Root's secrets in /etc are skipped if this user may not read them.
			if (document || document.error().number != EACCES || stem == "clouds")
				return document;
		}
	return YamlFile{};
}

/// Overrides `under` with `over`: tables key by key, everything else as a whole.
YAML::Node merge(const YAML::Node &under, const YAML::Node &over)
{
	if (!over.IsDefined() || over.IsNull())
		return under;
	if (!under.IsDefined() || !under.IsMap() || !over.IsMap())
		return over;
	YAML::Node merged(YAML::NodeType::Map);
	for (const auto &entry : under)
		merged[entry.first.Scalar()] = entry.second;
	for (const auto &entry : over) {
		const auto &key = entry.first.Scalar();
		const YAML::Node below = under[key];
		merged[key] = below ? merge(below, entry.second) : entry.second;
	}
	return merged;
}

/// The value of a key that may be missing. (yaml-cpp's node of a missing key must not be copied.)
YAML::Node child(const YAML::Node &table, const std::string &key)
{
	if (table.IsDefined() && table.IsMap())
		if (const YAML::Node found = table[key])
			return found;
	return YAML::Node(YAML::NodeType::Undefined);
}

/// Parses a word for true or false; returns nothing for any other.
std::optional<bool> parse_bool(std::string text)
{
	std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
	static constexpr std::array trues{"true", "1", "yes", "on", "y", "t"};
	static constexpr std::array falses{"false", "0", "no", "off", "n", "f"};
	if (std::ranges::find(trues, text) != trues.end())
		return true;
	if (std::ranges::find(falses, text) != falses.end())
		return false;
	return std::nullopt;
}

fs::path expand_home(const CloudPlaces &places, const std::string &path)
{
	if (path != "~" && !path.starts_with("~/"))
		return path;
	const auto home = places.variable("HOME");
	return home ? fs::path(*home + path.substr(1)) : fs::path(path);
}

/// The names of the clouds.
std::vector<std::string> names_of(const YAML::Node &clouds)
{
	std::vector<std::string> names;
	if (clouds.IsDefined() && clouds.IsMap())
		for (const auto &entry : clouds)
			names.push_back(entry.first.Scalar());
	return names;
}

/// Reads the values of one cloud, and remembers the first that is not a single value.
class Values {
public:
	Values(std::string cloud, fs::path path, const YAML::Node &table)
	    : cloud_(std::move(cloud)), path_(std::move(path)), table_(table)
	{
	}

	[[nodiscard]] std::string get(const YAML::Node &table, const std::string &key)
	{
		const auto node = child(table, key);
		if (!node.IsDefined() || node.IsNull())
			return "";
		if (node.IsScalar())
			return node.Scalar();
		if (!error_)
			error_ = Error{ExitCode::usage, fmt::format("{}: cloud {}: {} must be a single value",
			                                            line_of(path_, node.Mark()), cloud_, key)};
		return "";
	}
	[[nodiscard]] std::string get(const std::string &key) { return get(table_, key); }
	[[nodiscard]] const std::optional<Error> &error() const { return error_; }

private:
	std::string cloud_;
	fs::path path_;
	YAML::Node table_;
	std::optional<Error> error_;
};

/// What files say about a cloud. secure.yaml overrides clouds.yaml, which overrides the profile
/// that it names.
struct FileValues {
	fs::path path;
	YAML::Node cloud{YAML::NodeType::Undefined};
	std::vector<std::string> names;
};

Result<FileValues> read_files(const CloudPlaces &places, std::string &name)
{
	auto clouds = find_document(places, "OS_CLIENT_CONFIG_FILE", "clouds");
	if (!clouds)
		return std::unexpected(clouds.error());
	const auto secure = find_document(places, "OS_CLIENT_SECURE_FILE", "secure");
	if (!secure)
		return std::unexpected(secure.error());
	const auto table = merge(child(clouds->root, "clouds"), child(secure->root, "clouds"));
	FileValues in_files{.path = clouds->path, .names = names_of(table)};
	if (name.empty() && in_files.names.size() == 1)
		name = in_files.names.front();
	in_files.cloud.reset(child(table, name));
	if (!in_files.cloud.IsDefined())
		return in_files;

	auto profile = child(in_files.cloud, "profile");
	if (!profile.IsDefined())
		profile.reset(child(in_files.cloud, "cloud"));
	if (!profile.IsDefined() || !profile.IsScalar())
		return in_files;
	const auto vendors = find_document(places, nullptr, "clouds-public");
	if (!vendors)
		return std::unexpected(vendors.error());
	const auto known = child(child(vendors->root, "public-clouds"), profile.Scalar());
	if (known.IsDefined())
		in_files.cloud.reset(merge(known, in_files.cloud));
	else if (!child(child(in_files.cloud, "auth"), "auth_url").IsDefined())
		return fail(
		    ExitCode::usage,
		    fmt::format("{}: cloud {}: its profile {} is in no clouds-public.yaml; write the "
		                "auth_url of that cloud below `auth`",
		                line_of(clouds->path, profile.Mark()), name, profile.Scalar()));
	return in_files;
}

/// The error for a missing cloud: the reason, and what to do.
std::unexpected<Error> no_cloud(const CloudPlaces &places, const FileValues &in_files,
                                const std::string &name)
{
	if (in_files.path.empty()) {
		std::vector<std::string> folders;
		folders.reserve(places.folders.size());
		for (const auto &folder : places.folders)
			folders.push_back(folder.string());
		return fail(
		    ExitCode::usage,
		    fmt::format("{}there is no clouds.yaml in {}; put one there, or set OS_AUTH_URL "
		                "and the other OS_* variables",
		                name.empty() ? "" : fmt::format("cloud {}: ", name),
		                fmt::join(folders, ", ")));
	}
	if (in_files.names.empty())
		return fail(ExitCode::usage,
		            fmt::format("{}: it has no cloud below `clouds`", in_files.path.string()));
	if (name.empty())
		return fail(ExitCode::usage,
		            fmt::format("{}: it has {} clouds; choose one with --os-cloud or OS_CLOUD: {}",
		                        in_files.path.string(), in_files.names.size(),
		                        fmt::join(in_files.names, ", ")));
	return fail(ExitCode::usage,
	            fmt::format("cloud {}: {} does not have it; it has: {}", name,
	                        in_files.path.string(), fmt::join(in_files.names, ", ")));
}

/// Does a URL contain a user, as https://user:secret@host does?
bool has_user(const std::string &url)
{
	const auto scheme = url.find("://");
	const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
	return url.substr(begin, url.find_first_of("/?#", begin) - begin).contains('@');
}

/// Turns the old word "publicURL" into "public".
std::string plain_interface(const std::string &interface)
{
	return interface.substr(0, interface.size() - (interface.ends_with("URL") ? 3 : 0));
}

/// How to log in, from the configuration's word for it; by default with a password.
Result<std::string> auth_type_of(const Cloud &cloud, const std::string &said)
{
	std::string type(said.starts_with("v3") ? said.substr(2) : said);
	if (type == "applicationcredential" || type == "application_credential")
		return "application_credential";
	if (type == "password" || type == "token")
		return type;
	if (!type.empty())
		return fail(ExitCode::usage,
		            fmt::format("cloud {}: auth_type {}: it must be password, token or "
		                        "v3applicationcredential",
		                        cloud.name, said));
	return "password";
}

/// The way to log in for which there is a credential; "" if there is none.
std::string way_of(const Cloud &cloud)
{
	if (cloud.find("application_credential_secret"))
		return "application_credential";
	for (const auto *way : {"password", "token"})
		if (cloud.find(way))
			return way;
	const bool named =
	    cloud.find("application_credential_id") || cloud.find("application_credential_name");
	return named ? "application_credential" : "";
}

/// The first key that this way to log in needs and that is missing.
std::optional<std::string> missing_of(const Cloud &cloud)
{
	const auto has = [&](const char *key) { return cloud.find(key).has_value(); };
	if (!has("auth_url"))
		return "auth_url (OS_AUTH_URL)";
	if (cloud.auth_type == "application_credential") {
		if (!has("application_credential_secret"))
			return "application_credential_secret (OS_APPLICATION_CREDENTIAL_SECRET)";
		if (has("application_credential_id"))
			return std::nullopt;
		if (!has("application_credential_name"))
			return "application_credential_id (OS_APPLICATION_CREDENTIAL_ID)";
		if (!has("username") && !has("user_id"))
			return "username (OS_USERNAME), for an application credential by its name";
		return std::nullopt;
	}
	if (cloud.auth_type == "token")
		return has("token") ? std::nullopt : std::optional<std::string>("token (OS_TOKEN)");
	if (!has("username") && !has("user_id"))
		return "username (OS_USERNAME)";
	if (!has("password"))
		return "password (OS_PASSWORD)";
	return std::nullopt;
}

std::string first_of(std::initializer_list<std::string> values)
{
	const auto *const found =
	    std::ranges::find_if(values, [](const std::string &value) { return !value.empty(); });
	return found == values.end() ? "" : *found;
}

/// The value of an environment variable; "" if it is not set.
std::string variable(const CloudPlaces &places, const char *name)
{
	return places.variable(name).value_or("");
}

/// Finds out which cloud to use, and reads what the files say about it.
Result<FileValues> choose(const CloudPlaces &places, const CloudOptions &options, Cloud &cloud)
{
	cloud.name = first_of({options.cloud, variable(places, "OS_CLOUD")});
	if (cloud.name == variables_name ||
	    (cloud.name.empty() && !variable(places, "OS_AUTH_URL").empty())) {
		cloud.name = variables_name;
		return FileValues();
	}
	auto in_files = read_files(places, cloud.name);
	if (in_files && !in_files->cloud.IsDefined())
		return no_cloud(places, *in_files, cloud.name);
	return in_files;
}

/// Reads the credentials, and returns the configuration's word for how to log in, or "".
std::string read_auth(const CloudPlaces &places, const YAML::Node &auth, Values &values,
                      Cloud &cloud)
{
	std::set<std::string_view> said;
	for (const auto &known : auth_keys)
		if (auto value = values.get(auth, known.key); !value.empty()) {
			cloud.auth[known.key] = std::move(value);
			said.insert(known.thing);
		}
	const auto way = first_of({values.get("auth_type"), way_of(cloud)});
	for (const auto &known : auth_keys)
		if (auto value = variable(places, known.variable);
		    !value.empty() && !said.contains(known.thing))
			cloud.auth.try_emplace(known.key, std::move(value));
	for (const auto *key : {"name", "id"})
		if (const auto old = cloud.find(std::string("tenant_") + key))
			cloud.auth.try_emplace(std::string("project_") + key, *old);
	return first_of({way, variable(places, "OS_AUTH_TYPE"), way_of(cloud)});
}

/// The first of the list `regions`, whose entries are names or tables; "" if there is none.
std::string first_region(const YAML::Node &table, Values &values)
{
	const auto regions = child(table, "regions");
	if (!regions.IsDefined() || !regions.IsSequence() || regions.size() == 0)
		return "";
	return regions[0].IsMap() ? values.get(regions[0], "name") : regions[0].Scalar();
}

/// Reads which endpoints of the cloud to use.
void read_endpoints(const CloudPlaces &places, const CloudOptions &options, const YAML::Node &table,
                    Values &values, Cloud &cloud)
{
	const auto from = [&](const char *name) { return variable(places, name); };
	cloud.region = first_of({options.region, values.get("region_name"), from("OS_REGION_NAME"),
	                         first_region(table, values)});
	cloud.interface = plain_interface(
	    first_of({options.interface, values.get("interface"), values.get("endpoint_type"),
	              from("OS_INTERFACE"), from("OS_ENDPOINT_TYPE"), "public"}));
	cloud.compute_endpoint =
	    first_of({values.get("compute_endpoint_override"), from("OS_COMPUTE_ENDPOINT_OVERRIDE")});
	cloud.image_endpoint =
	    first_of({values.get("image_endpoint_override"), from("OS_IMAGE_ENDPOINT_OVERRIDE")});
}

/// Reads the TLS files, and whether to verify the cloud's certificate.
void read_tls(const CloudPlaces &places, const CloudOptions &options, Values &values, Cloud &cloud)
{
	const auto from = [&](const char *name) { return variable(places, name); };
	cloud.ca_file =
	    expand_home(places, first_of({options.ca_file, values.get("cacert"), from("OS_CACERT")}));
	cloud.certificate = expand_home(places, first_of({values.get("cert"), from("OS_CERT")}));
	cloud.key = expand_home(places, first_of({values.get("key"), from("OS_KEY")}));
	const bool insecure =
	    parse_bool(first_of({values.get("insecure"), from("OS_INSECURE")})).value_or(false);
	cloud.verify =
	    parse_bool(values.get("verify")).value_or(true) && !insecure && !options.insecure;
}

/// What is wrong with the values that were read, if anything: the message without the cloud's name.
std::optional<std::string> wrong_with(const Cloud &cloud, const std::string &verify)
{
	if (cloud.interface != "public" && cloud.interface != "internal" && cloud.interface != "admin")
		return fmt::format("interface {}: it must be public, internal or admin", cloud.interface);
	for (const auto &url :
	     {cloud.find("auth_url").value_or(""), cloud.compute_endpoint, cloud.image_endpoint})
		if (has_user(url))
			return "an address contains a user name, and would be printed with it: write username "
			       "and password below `auth` instead";
	if (!verify.empty() && !parse_bool(verify))
		return fmt::format("verify {}: it must be true or false", verify);
	for (const auto &path : {cloud.ca_file, cloud.certificate, cloud.key}) {
		std::error_code unreadable;
		if (!path.empty() && !fs::exists(path, unreadable))
			return fmt::format("{}: there is no such file", path.string());
	}
	return std::nullopt;
}

} // namespace

Cloud::~Cloud()
{
	for (const auto *key : secrets)
		if (const auto found = auth.find(key); found != auth.end())
			explicit_bzero(found->second.data(), found->second.size());
}

std::optional<std::string> Cloud::find(const std::string &auth_key) const
{
	const auto found = auth.find(auth_key);
	if (found == auth.end() || found->second.empty())
		return std::nullopt;
	return found->second;
}

CloudPlaces cloud_places()
{
	CloudPlaces places;
	places.variable = [](const std::string &name) -> std::optional<std::string> {
		// Nothing here changes the environment.
		const char *value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe)
		return value == nullptr ? std::nullopt : std::optional<std::string>(value);
	};
	std::error_code gone;
	if (const auto here = fs::current_path(gone); !gone)
		places.folders.push_back(here);
	const auto config = places.variable("XDG_CONFIG_HOME");
	const auto home = places.variable("HOME");
	if (config && !config->empty())
		places.folders.push_back(fs::path(*config) / "openstack");
	else if (home && !home->empty())
		places.folders.push_back(fs::path(*home) / ".config/openstack");
	places.folders.emplace_back("/etc/openstack");
	return places;
}

Result<Cloud> find_cloud(const CloudPlaces &places, const CloudOptions &options)
{
	Cloud cloud;
	const auto in_files = choose(places, options, cloud);
	if (!in_files)
		return std::unexpected(in_files.error());
	const auto &table = in_files->cloud;
	Values values(cloud.name, in_files->path, table);
	const auto way = read_auth(places, child(table, "auth"), values, cloud);
	read_endpoints(places, options, table, values, cloud);
	read_tls(places, options, values, cloud);
	const auto verify = values.get("verify");
	if (const auto &error = values.error())
		return std::unexpected(*error);
	auto type = auth_type_of(cloud, way);
	if (!type)
		return std::unexpected(type.error());
	cloud.auth_type = std::move(*type);
	if (const auto missing = missing_of(cloud))
		return fail(ExitCode::usage,
		            fmt::format("cloud {}{}: {} is missing", cloud.name,
		                        in_files->path.empty() ? "" : " of " + in_files->path.string(),
		                        *missing));
	if (const auto wrong = wrong_with(cloud, verify))
		return fail(ExitCode::usage, fmt::format("cloud {}: {}", cloud.name, *wrong));
	return cloud;
}

} // namespace hwrngd
