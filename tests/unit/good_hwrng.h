// SPDX-License-Identifier: GPL-2.0-or-later
// A fake machine whose current hwrng passes every test.
#pragma once

#include "aes_ctr.h"
#include "fake_tree.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace hwrngd::test {

inline void good_hwrng(FakeTree &tree)
{
	std::string bytes(64 + 4 + 32 * 2500, '\0');
	AesCtr stream;
	std::vector<uint8_t> random(bytes.size());
	stream.fill(random);
	std::copy(random.begin(), random.end(), bytes.begin());
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0", false, "1000");
	tree.file("/dev/hwrng", bytes);
}

} // namespace hwrngd::test
