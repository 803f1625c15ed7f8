# SPDX-License-Identifier: GPL-2.0-or-later
#
# The targets for building, testing and installing. `make help` lists them.

#: PREFIX=/usr                where to install (/usr/local)
#: KERNELS="6.1 6.12"         kernels of VMs (5.10 6.1 6.12 7.3; other ARCH: fewer)
#: CASES="tpm_rng"            VM tests to run (all)
#: ARCH=arm64                 amd64, arm64, ppc64el or riscv64 VMs (this machine)
#: FLAVOUR=generic            flavour of kernels (cloud; ppc64el, riscv64: generic)
#: SUITES="bookworm"          Debian releases (bookworm trixie bullseye)
#: PHASES="install reboot"    phases of system-test (all)
#: CYCLES=1000                feeds of soak (100000)
#: SECONDS=60                 seconds for each fuzzer (600)
#: KERNEL_RELEASE=6.1.0-26    kernel for dkms-install (the running kernel)
PREFIX ?= /usr/local
KERNELS ?= $(or $(KERNELS_$(ARCH)),5.10 6.1 6.12 7.3)
KERNELS_arm64 = 6.1 6.12
KERNELS_ppc64el = 6.1 6.12
KERNELS_riscv64 = 6.12
CASES ?=
SUITES ?= bookworm trixie bullseye
PHASES ?=
ARCH ?= $(shell dpkg --print-architecture)
FLAVOUR ?= $(if $(filter ppc64el riscv64,$(ARCH)),generic,cloud)
KERNEL_RELEASE ?= $(shell uname -r)
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
TPM_RULE := /usr/lib/udev/rules.d/60-tpm_rng.rules
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

all: userspace modules ## Build the programs and the modules, into build/

help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo; echo "Variables, with an example and the default:"
	@sed -n 's/^#:/ /p' $(MAKEFILE_LIST)

setup: ## Install what building and testing need, with apt
	@tests/setup build test style

userspace: ## Build the programs, into build/
	@cmake -G Ninja -S userspace -B build -DBUILD_TESTING=OFF >build.log 2>&1 || \
		{ cat build.log; rm -f build.log; echo "If a library or tool is missing, \`make setup\` installs it."; exit 1; }
	@rm -f build.log
	@cmake --build build

# Builds in a copy, so that the tree stays clean.
modules: ## Build the kernel modules for all installed kernel headers
	@found=; for headers in /lib/modules/*/build; do \
		[ -e $$headers/Makefile ] || continue; \
		found=1; release=$$(basename $$(dirname $$headers)); copy=$(CURDIR)/build/kmod/$$release; \
		mkdir -p $$copy && cp kmod/* $$copy/ || exit 1; \
		llvm=; ! grep -qs '^CONFIG_CC_IS_CLANG=y' $$headers/.config || llvm=LLVM=1; \
		$(MAKE) -C $$headers M=$$copy $$llvm modules || exit 1; \
	done; \
	[ -n "$$found" ] || echo "No module was built, because no kernel headers are installed." \
		"For this kernel: apt-get install linux-headers-$$(uname -r)"

run: ## Show this machine's sources, test and feed the best (as root)
	@tests/setup build
	@$(MAKE) --no-print-directory userspace
	@echo; echo "The sources of this machine:"; echo
	@build/hwrngctl status
	@echo; echo "Testing the best source and feeding the kernel's pool from it:"; echo
	@$(SUDO) build/hwrngctl feed --once

test: ## Run unit tests, module builds, packages and VM tests; KERNELS
	@tests/setup build test coverage
	@tests/run --kernels "$(KERNELS)"

check: ## Run the quick checks: unit tests and the order of rooms
	@tests/setup build test
	@tests/run layers unit

vm-test: ## Run only the VM tests; KERNELS, CASES, ARCH, FLAVOUR
	@tests/setup build test $(filter arm64 ppc64el riscv64,$(ARCH))
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/vm/run --kernels "$(KERNELS)" --arch "$(ARCH)" --flavour "$(FLAVOUR)" $(CASES)

system-test: ## Install, reboot, purge, ... in Debian VMs; SUITES, PHASES
	@tests/setup build test
	@tests/vm/system/run --suites "$(SUITES)" $(PHASES)

coverage: ## Check that unit tests reach all branches of the policy code
	@tests/setup build test coverage
	@tests/coverage

long-test: ## Run the long VM tests: all faults, 200 kills, two hosts
	@tests/setup build test $(filter arm64 ppc64el riscv64,$(ARCH))
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/vm/run --long --kernels "$(KERNELS)" --arch "$(ARCH)" --flavour "$(FLAVOUR)"

soak: ## Feed from sources that fail and recover (ASan, TSan); CYCLES
	@tests/setup build test
	@tests/soak/run $(if $(CYCLES),--cycles $(CYCLES))

cross-test: ## Build modules for arm64, ppc64el, riscv64; test NEON code
	@tests/setup build test cross
	@tests/run cross

peers-test: ## Test with real rng-tools, Prometheus, EGD, sshd, OpenStack
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/peers/run --long
	@tests/peers/prometheus
	@tests/peers/egd --long
	@tests/peers/egd-tls
	@tests/peers/egd-client
	@tests/peers/ssh
	@tests/peers/openstack

fuzz: ## Fuzz the parsers of EGD server and client; SECONDS
	@tests/setup build coverage
	@tests/fuzz/run $(if $(SECONDS),--seconds $(SECONDS))

kasan-test: ## Run the VM tests on a debug kernel (KASAN, lockdep); CASES
	@tests/setup build test debug
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/vm/run --kernels 6.1 --flavour debug $(CASES)

bench: ## Compare speeds with similar programs; build/bench.json
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/bench/run

bench-kmod: ## Measure the modules in a VM, against a plain loop
	@tests/setup build test
	@tests/bench/kmod --kernels "$(KERNELS)"

bench-starved: ## Measure how soon daemons make a starved VM's CRNG ready
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/bench/starved --kernels "$(KERNELS)"

style: ## Run clang-format, clang-tidy, shellcheck, checkpatch, sparse
	@tests/setup build test style
	@tests/style

install: ## Install below $(DESTDIR)$(PREFIX)
	@[ -e build/hwrngctl ] || $(MAKE) --no-print-directory userspace
	@DESTDIR="$(DESTDIR)" cmake --install build --strip --prefix "$(PREFIX)"

# With DESTDIR (for a package), only copy files.
dkms-install: $(if $(DESTDIR),dkms-source,dkms-modules) ## Install the modules with DKMS, for this and later kernels

# The files that DKMS and udev need.
dkms-source:
	@install -d "$(DESTDIR)/usr/src/hwrngd-$(VERSION)/kmod"
	@install -m 644 dkms.conf "$(DESTDIR)/usr/src/hwrngd-$(VERSION)/"
	@install -m 644 kmod/Kbuild kmod/*.[ch] "$(DESTDIR)/usr/src/hwrngd-$(VERSION)/kmod/"
	@install -D -m 644 udev/60-tpm_rng.rules "$(DESTDIR)$(TPM_RULE)"

dkms-usable:
	@PATH="$$PATH:/usr/sbin" command -v dkms >/dev/null || \
		{ echo "dkms is missing: apt-get install dkms"; exit 1; }
	@! dpkg-query -S '/usr/src/hwrngd-*/dkms.conf' 2>/dev/null || \
		{ echo "The package hwrngd-dkms is installed. To install by hand, remove it first: apt-get purge hwrngd-dkms"; exit 1; }

dkms-modules: dkms-usable
	@[ -e /lib/modules/$(KERNEL_RELEASE)/build/Makefile ] || \
		{ echo "The kernel's headers are missing: apt-get install linux-headers-$(KERNEL_RELEASE)"; exit 1; }
	@$(MAKE) --no-print-directory dkms-remove
	@$(SUDO) $(MAKE) --no-print-directory dkms-source
	@$(SUDO) dkms add hwrngd/$(VERSION)
	@$(SUDO) dkms build hwrngd/$(VERSION) -k $(KERNEL_RELEASE)
	@$(SUDO) dkms install hwrngd/$(VERSION) -k $(KERNEL_RELEASE)
	@echo "tpm_rng is loaded when a TPM appears, so at each boot if the machine has one. To load it now: modprobe tpm_rng." \
		"cpu_rng is loaded only if you ask for it: modprobe cpu_rng, and at each boot: echo cpu_rng >>/etc/modules"

dkms-remove: dkms-usable ## Remove all versions that dkms-install installed
	@for source in /var/lib/dkms/hwrngd/*/source; do \
		[ -L "$$source" ] || continue; version=$${source%/source}; \
		$(SUDO) dkms remove "hwrngd/$${version##*/}" --all || exit 1; \
	done
	@$(SUDO) rm -rf /usr/src/hwrngd-[0-9]* $(TPM_RULE)

deb: ## Build the Debian packages, into build/deb/
	@tests/setup build package
	@rm -rf build/deb
	@bash -euc '. tests/vm/lib.sh; copy_tree "$$top/build/deb/hwrngd"'
	@cd build/deb/hwrngd && dpkg-buildpackage -us -uc -b
	@rm -rf build/deb/hwrngd

package-test: ## Build, check, install and purge packages on Debian 12 and 13
	@tests/setup build test
	@tests/run package

clean: ## Remove build/, but not the cache in ~/.cache/hwrngd
	rm -rf build

.PHONY: all help setup userspace modules run test check vm-test system-test long-test coverage soak fuzz cross-test peers-test kasan-test bench bench-kmod bench-starved style install dkms-install dkms-source dkms-usable dkms-modules dkms-remove deb package-test clean
