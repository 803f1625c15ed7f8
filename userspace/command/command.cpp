// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/command.h"

#include "control/config.h"
#include "control/inventory.h"

namespace hwrngd {

Result<Inventory> inventory_of(const Context &context)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	return take_inventory(context.root, *config);
}

} // namespace hwrngd
