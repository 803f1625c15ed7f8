// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/advice.h"

#include "base/format.h"

namespace hwrngd {

namespace {

/// How to give a virtual machine a source. `hypervisor` is the vendor's name.
std::vector<Advice> source_for_guest(const std::string &hypervisor)
{
	if (hypervisor.starts_with("VMware"))
		return {{"on VMware: add the device \"Trusted Platform Module\" to this virtual machine"}};
	if (hypervisor.starts_with("Microsoft"))
		return {{"on Hyper-V: Set-VMKeyProtector -VMName NAME -NewLocalKeyProtector; "
		         "Enable-VMTPM -VMName NAME"},
		        {"in Azure: choose the security type Trusted Launch, with vTPM, for this virtual "
		         "machine"}};
	if (hypervisor.starts_with("innotek") || hypervisor.starts_with("Oracle"))
		return {{"on the host: VBoxManage modifyvm NAME --tpm-type 2.0"}};
	if (hypervisor.starts_with("Amazon"))
		return {{"register the image with a NitroTPM: aws ec2 register-image --tpm-support v2.0"}};
	return {{"on the host, with libvirt: virt-xml NAME --add-device --rng /dev/urandom"},
	        {"or with Proxmox: qm set ID --rng0 source=/dev/urandom"},
	        {"or with plain QEMU: -device virtio-rng-pci"},
	        {"or with OpenStack: openstack image set --property hw_rng_model=virtio IMAGE"}};
}

} // namespace

std::vector<Advice> advise_source(const std::string &hypervisor, const std::string &board)
{
	if (!hypervisor.empty())
		return source_for_guest(hypervisor);
	if (board.starts_with("Raspberry Pi"))
		return {{"load the driver of its RNG", "modprobe -a bcm2835_rng iproc_rng200"}};
	if (!board.empty())
		return {{"load the driver of this board's RNG, if its chip has one (kernel "
		         "configuration: CONFIG_HW_RANDOM_*)"}};
	return {
	    {"switch the TPM on in the firmware's set-up (also called fTPM, PTT, Security Device)"}};
}

Advice load_always(const std::string &module, const std::string &what)
{
	return {fmt::format("{}, now and at every boot", what),
	        fmt::format("hwrngctl load {} --persist", module.substr(0, module.find('_')))};
}

Advice keep_loaded(const std::string &module)
{
	// The file of `hwrngctl load --persist`.
	return {fmt::format("load {} at every boot", module),
	        fmt::format("echo {0} >/etc/modules-load.d/hwrngd-{0}.conf", module)};
}

} // namespace hwrngd
