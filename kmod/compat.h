/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All differences between the kernels that we support. Kbuild includes this
 * file before each source file, so that the drivers read like upstream code.
 * Kbuild defines the HAVE_ macros after looking into the kernel's headers.
 */
#ifndef _COMPAT_H
#define _COMPAT_H

/* Each driver defines this too, but too late for the includes below. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/tpm.h>

#ifdef CONFIG_X86
#include <asm/processor.h>
#endif

/*
 * Before 6.4 the callbacks of a class_interface received the interface as a
 * second argument, and the class was not const.
 */
#ifdef HAVE_CLASS_INTERFACE_ARGUMENT
struct compat_class_interface {
	const struct class *class;
	int (*add_dev)(struct device *dev);
	void (*remove_dev)(struct device *dev);
	struct class_interface old;
};

static inline int compat_add_dev(struct device *dev,
				 struct class_interface *old)
{
	return container_of(old, struct compat_class_interface, old)->add_dev(dev);
}

static inline void compat_remove_dev(struct device *dev,
				     struct class_interface *old)
{
	container_of(old, struct compat_class_interface, old)->remove_dev(dev);
}

static inline int
compat_class_interface_register(struct compat_class_interface *interface)
{
	interface->old.class = (struct class *)interface->class;
	interface->old.add_dev = compat_add_dev;
	interface->old.remove_dev = compat_remove_dev;
	return class_interface_register(&interface->old);
}

static inline void
compat_class_interface_unregister(struct compat_class_interface *interface)
{
	class_interface_unregister(&interface->old);
}

#define class_interface			compat_class_interface
#define class_interface_register	compat_class_interface_register
#define class_interface_unregister	compat_class_interface_unregister
#endif

#ifndef HAVE_TPM_IS_FIRMWARE_UPGRADE
static inline bool tpm_is_firmware_upgrade(struct tpm_chip *chip)
{
	return false;
}
#endif

/*
 * Reading one of AMD's firmware TPMs makes the whole machine stutter. Later
 * kernels set a flag on these chips; for older kernels, do the same test here.
 * The exception for Pluton is not needed: older kernels have no driver for it.
 */
static inline bool tpm_is_hwrng_disabled(struct tpm_chip *chip)
{
#ifdef HAVE_TPM_CHIP_FLAG_HWRNG_DISABLED
	return chip->flags & TPM_CHIP_FLAG_HWRNG_DISABLED;
#elif defined(CONFIG_X86)
	struct device *parent = chip->dev.parent;

	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD && parent &&
	       parent->driver && !strcmp(parent->driver->name, "tpm_crb");
#else
	return false;
#endif
}

#endif /* _COMPAT_H */
