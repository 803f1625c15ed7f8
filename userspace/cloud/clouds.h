// SPDX-License-Identifier: GPL-2.0-or-later
// Finds out which cloud to use, and how to log in to it: from clouds.yaml, secure.yaml and the OS_*
// environment variables, as openstacksdk and openstackclient do.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// What is needed to send requests to a cloud. The destructor wipes its secrets.
struct Cloud {
	Cloud() = default;
	Cloud(Cloud &&) noexcept = default;
	Cloud &operator=(Cloud &&) noexcept = default;
	Cloud(const Cloud &) = delete;
	Cloud &operator=(const Cloud &) = delete;
	~Cloud();

	std::string name;                        ///< as in clouds.yaml; "envvars" without that file
	std::string auth_type;                   ///< "password", "token" or "application_credential"
	std::map<std::string, std::string> auth; ///< by clouds.yaml's keys: auth_url, username, ...
	std::string region;                      ///< empty: the first in the catalog
	std::string interface = "public";        ///< or "internal" or "admin"
	std::string compute_endpoint;            ///< replaces the catalog's, unless empty
	std::string image_endpoint;
	std::filesystem::path ca_file; ///< PEM; empty: the system's
	std::filesystem::path certificate, key;
	bool verify = true;

	/// The value of a key of `auth`, or nothing if it is missing or empty.
	[[nodiscard]] std::optional<std::string> find(const std::string &auth_key) const;
};

/// Where to look for the configuration.
struct CloudPlaces {
	std::vector<std::filesystem::path> folders; ///< the first that has a clouds.yaml counts
	/// Reads an environment variable.
	std::function<std::optional<std::string>(const std::string &)> variable;
};

/// The current folder, ~/.config/openstack and /etc/openstack, and this process's environment.
[[nodiscard]] CloudPlaces cloud_places();

/// The options of the command line; empty if not given.
struct CloudOptions {
	std::string cloud = {};
	std::string region = {};
	std::string interface = {};
	std::string ca_file = {};
	bool insecure = false;

	bool operator==(const CloudOptions &) const = default;
};

/// The cloud to use: the one that `options` or OS_CLOUD names; otherwise that of the variables;
/// otherwise the only one in clouds.yaml. Values from the command line override those from files,
/// which override the variables. Errors: ExitCode::usage, with the file, the key, and what to do.
[[nodiscard]] Result<Cloud> find_cloud(const CloudPlaces &places, const CloudOptions &options);

} // namespace hwrngd
