// SPDX-License-Identifier: GPL-2.0-or-later
// Questions about processes.
#pragma once

#include <csignal>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace hwrngd::test {

/// Does process `pid` end within 5 seconds? A zombie has ended; reaping it is not our task.
[[nodiscard]] inline bool has_ended(pid_t pid)
{
	for (int i = 0; i < 250; i++) {
		if (kill(pid, 0) != 0)
			return true;
		std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
		const std::string text((std::istreambuf_iterator<char>(status)), {});
		if (text.find(") Z") != std::string::npos)
			return true;
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
	}
	return false;
}

/// The children of this process, sorted by process id.
[[nodiscard]] inline std::vector<pid_t> children()
{
	std::vector<pid_t> found;
	for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
		if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos)
			continue;
		std::ifstream status(entry.path() / "stat");
		const std::string text((std::istreambuf_iterator<char>(status)), {});
		// PID (COMM) STATE PPID ...
		std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
		std::string state;
		pid_t parent = 0;
		if (rest >> state >> parent && parent == getpid())
			found.push_back(std::stoi(text));
	}
	std::sort(found.begin(), found.end());
	return found;
}

} // namespace hwrngd::test
