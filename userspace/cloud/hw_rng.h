// SPDX-License-Identifier: GPL-2.0-or-later
// Whether servers of a flavor and of an image have a virtio RNG: by the letter of SCS 0101 v1,
// which compares spellings, and by what Nova does.
#pragma once

#include "cloud/openstack.h"

#include <optional>
#include <string>

namespace hwrngd {

enum class Effect { yes, no, unknown };

struct HwRng {
	std::string found;    ///< the attribute's value; "absent", or "not shown to this user"
	bool literal = false; ///< does it have the attribute as the standard spells it?
	Effect effect = Effect::unknown; ///< has a server the RNG, as far as this one decides?
	std::string why;                 ///< what is to be known of that; may be empty
	std::string remedy;              ///< empty if the standard has nothing to say
};

/// Nova's microversion 2.87, of Ussuri: from then on its libvirt driver adds an RNG unless the
/// flavor says no, and asks no image for it.
[[nodiscard]] bool adds_rng_by_itself(std::optional<unsigned> microversion);

/// Of the extra spec hw_rng:allowed, and hw_rng:rate_bytes and hw_rng:rate_period, which Nova takes
/// as numbers or fails (nova/virt/libvirt/driver.py, _add_rng_device).
[[nodiscard]] HwRng hw_rng_of(const Flavor &flavor, std::optional<unsigned> microversion);

/// Of the property hw_rng_model (nova/objects/image_meta.py).
[[nodiscard]] HwRng hw_rng_of(const Image &image, std::optional<unsigned> microversion);

} // namespace hwrngd
