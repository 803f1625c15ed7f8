// SPDX-License-Identifier: GPL-2.0-or-later
// A fake machine made of files: sysfs, procfs and /dev below a temporary folder.
#pragma once

#include "base/root.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace hwrngd::test {

inline constexpr const char *hw_random = "/sys/class/misc/hw_random";

class FakeTree {
public:
	FakeTree()
	{
		std::string name = (std::filesystem::temp_directory_path() / "hwrngd-test-XXXXXX").string();
		if (mkdtemp(name.data()) == nullptr)
			throw std::runtime_error("mkdtemp");
		path_ = name;
	}
	FakeTree(const FakeTree &) = delete;
	FakeTree &operator=(const FakeTree &) = delete;
	~FakeTree()
	{
		std::error_code ignored; // a test has failed already if anything is left
		std::filesystem::remove_all(path_, ignored);
	}

	[[nodiscard]] Root root() const { return Root(path_); }
	[[nodiscard]] std::filesystem::path at(const std::string &name) const
	{
		return root().at(name);
	}

	// Not const, because they change the tree, although no member.
	// NOLINTBEGIN(readability-make-member-function-const)

	/// Creates the file `name` and its folders.
	void file(const std::string &name, const std::string &text)
	{
		std::filesystem::create_directories(at(name).parent_path());
		std::ofstream(at(name), std::ios::binary) << text;
	}

	void symlink(const std::string &name, const std::string &target)
	{
		std::filesystem::create_directories(at(name).parent_path());
		std::filesystem::remove(at(name));
		std::filesystem::create_symlink(target, at(name));
	}

	// NOLINTEND(readability-make-member-function-const)

	[[nodiscard]] std::string text(const std::string &name) const
	{
		std::ifstream in(at(name), std::ios::binary);
		return {std::istreambuf_iterator<char>(in), {}};
	}

	/// Creates the files of the hwrng framework with these contents.
	void hwrng(const std::string &available, const std::string &current, bool selected = false,
	           const std::string &quality = "1024")
	{
		file(std::string(hw_random) + "/rng_available", available + "\n");
		file(std::string(hw_random) + "/rng_current", current + "\n");
		file(std::string(hw_random) + "/rng_selected", selected ? "1\n" : "0\n");
		if (!quality.empty())
			file(std::string(hw_random) + "/rng_quality", quality + "\n");
	}

private:
	std::filesystem::path path_;
};

} // namespace hwrngd::test
