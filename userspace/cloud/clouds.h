// SPDX-License-Identifier: GPL-2.0-or-later
// Which cloud, and how to get in: clouds.yaml with secure.yaml and the environment's OS_*
// variables, as openstacksdk and openstackclient have them.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// What of a cloud is needed to ask it. Its secrets are wiped with it.
struct Cloud {
	Cloud() = default;
	Cloud(Cloud &&) noexcept = default;
	Cloud &operator=(Cloud &&) noexcept = default;
	Cloud(const Cloud &) = delete;
	Cloud &operator=(const Cloud &) = delete;
	~Cloud();

	std::string name;                        ///< as in clouds.yaml; "envvars" if by variables alone
	std::string auth_type;                   ///< "password", "token" or "application_credential"
	std::map<std::string, std::string> auth; ///< by clouds.yaml's keys: auth_url, username, ...
	std::string region;                      ///< empty: the first of the catalog
	std::string interface = "public";        ///< or "internal" or "admin"
	std::string compute_endpoint;            ///< instead of the catalog's; empty: that
	std::string image_endpoint;
	std::filesystem::path ca_file; ///< PEM; empty: the system's
	std::filesystem::path certificate, key;
	bool verify = true;

	/// The value of a key of `auth`, or nothing if it is missing or empty.
	[[nodiscard]] std::optional<std::string> find(const std::string &auth_key) const;
};

/// Where to look.
struct CloudPlaces {
	std::vector<std::filesystem::path> folders; ///< of clouds.yaml, the first that has one
	std::function<std::optional<std::string>(const std::string &)> variable; ///< of the environment
};

/// The current folder, ~/.config/openstack and /etc/openstack, and this process's environment.
[[nodiscard]] CloudPlaces cloud_places();

/// What the command line says; empty where it says nothing.
struct CloudOptions {
	std::string cloud = {};
	std::string region = {};
	std::string interface = {};
	std::string ca_file = {};
	bool insecure = false;

	bool operator==(const CloudOptions &) const = default;
};

/// The cloud that is meant: the one named by `options` or OS_CLOUD, else that of the variables,
/// else the only one of clouds.yaml. What a file has of it goes before the variables, and what the
/// command line has before both. Errors: ExitCode::usage, which names the file and the key, and
/// what to do.
[[nodiscard]] Result<Cloud> find_cloud(const CloudPlaces &places, const CloudOptions &options);

} // namespace hwrngd
