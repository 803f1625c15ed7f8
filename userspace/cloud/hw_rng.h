// SPDX-License-Identifier: GPL-2.0-or-later
// Does a server with a given flavor or image get a virtio RNG? There are two answers: the literal
// one of SCS 0101 v1, which compares spellings, and the effective one, which is what Nova does.
#pragma once

#include "cloud/openstack.h"

#include <optional>
#include <string>

namespace hwrngd {

enum class Effect { yes, no, unknown };

struct HwRng {
	std::string found;    ///< the attribute's value; "absent", or "not shown to this user"
	bool literal = false; ///< is the attribute spelled as in the standard?
	Effect effect = Effect::unknown; ///< does a server get an RNG, as far as this decides?
	std::string why;                 ///< the reason for `effect`; may be empty
	std::string remedy;              ///< a command or advice; empty if nothing needs to change
};

/// Since Nova's microversion 2.87 (Ussuri), its libvirt driver adds an RNG unless the flavor
/// forbids it, whatever the image says.
[[nodiscard]] bool adds_rng_by_itself(std::optional<unsigned> microversion);

/// Judges the extra specs hw_rng:allowed, hw_rng:rate_bytes and hw_rng:rate_period of a flavor.
/// Nova fails if the latter two are not numbers (nova/virt/libvirt/driver.py, _add_rng_device).
[[nodiscard]] HwRng hw_rng_of(const Flavor &flavor, std::optional<unsigned> microversion);

/// Judges the property hw_rng_model of an image (nova/objects/image_meta.py).
[[nodiscard]] HwRng hw_rng_of(const Image &image, std::optional<unsigned> microversion);

} // namespace hwrngd
