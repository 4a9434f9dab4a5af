# SPDX-License-Identifier: GPL-2.0-or-later
#
# The devices of our QEMU: --with-devices-x86_64=nvmelab. A q35 machine, the
# drive, QEMU's own NVMe drive for comparison, and what a lab guest or a libvirt
# domain needs around them. Everything else only costs build time.
CONFIG_Q35=y
CONFIG_NVMELAB=y
CONFIG_NVME_PCI=y
CONFIG_PCIE_PORT=y
CONFIG_SERIAL_PCI=y
CONFIG_ISA_DEBUG=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_RNG=y
