# SPDX-License-Identifier: GPL-2.0-or-later
#
# One door. `make help` lists what is behind it.

PREFIX ?= /usr/local
KERNELS ?= $(if $(filter arm64,$(ARCH)),6.1 6.12,5.10 6.1 6.12 7.3)
CASES ?=
SUITES ?= bookworm trixie bullseye
PHASES ?=
ARCH ?= $(shell dpkg --print-architecture)
FLAVOUR ?= cloud
KERNEL_RELEASE ?= $(shell uname -r)
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
TPM_RULE := /usr/lib/udev/rules.d/60-tpm_rng.rules
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

all: userspace modules ## Build all that can be built here, into build/

help: ## Say what there is
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Install with apt what building and testing need, if it is missing
	@tests/setup build test style

userspace: ## Build hwrngctl and rngtest
	@cmake -G Ninja -S userspace -B build -DBUILD_TESTING=OFF >build.log 2>&1 || \
		{ cat build.log; rm -f build.log; echo "Something is missing? \`make setup\` installs it."; exit 1; }
	@rm -f build.log
	@cmake --build build

# In a copy, so that the tree stays clean.
modules: ## Build the kernel modules for the kernel headers that are installed
	@found=; for headers in /lib/modules/*/build; do \
		[ -e $$headers/Makefile ] || continue; \
		found=1; release=$$(basename $$(dirname $$headers)); copy=$(CURDIR)/build/kmod/$$release; \
		mkdir -p $$copy && cp kmod/* $$copy/ && $(MAKE) -C $$headers M=$$copy modules || exit 1; \
	done; \
	[ -n "$$found" ] || echo "No kernel headers are installed, so no module was built" \
		"(for this kernel: apt-get install linux-headers-$$(uname -r))."

run: ## Show this machine, test its best source and feed the kernel's pool from it (as root)
	@tests/setup build
	@$(MAKE) --no-print-directory userspace
	@echo; echo "What this machine has:"; echo
	@build/hwrngctl status
	@echo; echo "Testing the best source, and feeding the kernel's pool from it:"; echo
	@$(SUDO) build/hwrngctl feed --once

test: ## Run the unit tests, module builds, packages and guests; KERNELS="..." names the kernels
	@tests/setup build test coverage
	@tests/run --kernels "$(KERNELS)"

check: ## Run what is quick: the unit tests, and whether includes lead down the rooms (ARCHITECTURE.md)
	@tests/setup build test
	@tests/run layers unit

vm-test: ## Run the guests alone; KERNELS="6.1 6.12", CASES="tpm_rng", ARCH=arm64, FLAVOUR=generic
	@tests/setup build test $(if $(filter arm64,$(ARCH)),arm64)
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/vm/run --kernels "$(KERNELS)" --arch "$(ARCH)" --flavour "$(FLAVOUR)" $(CASES)

system-test: ## Install our packages in whole Debians, reboot, purge, ...; SUITES="bookworm", PHASES="install reboot"
	@tests/setup build test
	@tests/vm/system/run --suites "$(SUITES)" $(PHASES)

coverage: ## Show which branches of what decides its unit tests reach; all of them, or it fails
	@tests/setup build test coverage
	@tests/coverage

long-test: ## Run the guests that take long: each fault of each source, 200 kills of the daemon, two hosts
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/vm/run --long --kernels "$(KERNELS)" --arch "$(ARCH)" --flavour "$(FLAVOUR)"

soak: ## Feed 100,000 times while sources fall ill, with ASan and UBSan, and with TSan; CYCLES=N
	@tests/setup build test
	@tests/soak/run $(if $(CYCLES),--cycles $(CYCLES))

cross-test: ## Build the modules for arm64, ppc64el and riscv64; test what is for NEON
	@tests/setup build test cross
	@tests/run cross

peers-test: ## Try with real peers: rngtest beside that of rng-tools, on 1 GiB; metrics with Prometheus; EGD both ways, by TLS too; sshd; OpenStack
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/peers/run --long
	@tests/peers/prometheus
	@tests/peers/egd --long
	@tests/peers/egd-tls
	@tests/peers/egd-client
	@tests/peers/ssh
	@tests/peers/openstack

fuzz: ## Give the parsers of the EGD server and client whatever libFuzzer thinks of, 10 minutes each; SECONDS=N
	@tests/setup build coverage
	@tests/fuzz/run $(if $(SECONDS),--seconds $(SECONDS))

kasan-test: ## Run the guests on a debug kernel (KASAN, lockdep, kmemleak, ...), built once into the cache
	@tests/setup build test debug
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/vm/run --kernels 6.1 --flavour debug $(CASES)

bench: ## Measure, beside peers; writes build/bench.json
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/bench/run

bench-kmod: ## Measure the drivers in a guest, against a loop over the same instruction
	@tests/setup build test
	@tests/bench/kmod --kernels "$(KERNELS)"

bench-starved: ## Measure in guests how soon a daemon readies a CRNG that gets no entropy, beside peers
	@tests/setup build test
	@$(MAKE) --no-print-directory userspace >/dev/null
	@tests/bench/starved --kernels "$(KERNELS)"

style: ## Check formatting, clang and its clang-tidy, shellcheck, checkpatch, sparse
	@tests/setup build test style
	@tests/style

install: ## Install below $(DESTDIR)$(PREFIX)
	@[ -e build/hwrngctl ] || $(MAKE) --no-print-directory userspace
	@DESTDIR="$(DESTDIR)" cmake --install build --strip --prefix "$(PREFIX)"

# With DESTDIR, for a package, there are only files.
dkms-install: $(if $(DESTDIR),dkms-source,dkms-modules) ## Have DKMS install the modules, for this kernel (KERNEL_RELEASE) and all later ones

# All that DKMS needs of this tree, and udev.
dkms-source:
	@install -d "$(DESTDIR)/usr/src/hwrngd-$(VERSION)/kmod"
	@install -m 644 dkms.conf "$(DESTDIR)/usr/src/hwrngd-$(VERSION)/"
	@install -m 644 kmod/Kbuild kmod/*.[ch] "$(DESTDIR)/usr/src/hwrngd-$(VERSION)/kmod/"
	@install -D -m 644 udev/60-tpm_rng.rules "$(DESTDIR)$(TPM_RULE)"

dkms-usable:
	@PATH="$$PATH:/usr/sbin" command -v dkms >/dev/null || \
		{ echo "dkms is missing: apt-get install dkms"; exit 1; }
	@! dpkg-query -S '/usr/src/hwrngd-*/dkms.conf' 2>/dev/null || \
		{ echo "A package does this already; to do it by hand: apt-get purge hwrngd-dkms"; exit 1; }

dkms-modules: dkms-usable
	@[ -e /lib/modules/$(KERNEL_RELEASE)/build/Makefile ] || \
		{ echo "The kernel's headers are missing: apt-get install linux-headers-$(KERNEL_RELEASE)"; exit 1; }
	@$(MAKE) --no-print-directory dkms-remove
	@$(SUDO) $(MAKE) --no-print-directory dkms-source
	@$(SUDO) dkms add hwrngd/$(VERSION)
	@$(SUDO) dkms build hwrngd/$(VERSION) -k $(KERNEL_RELEASE)
	@$(SUDO) dkms install hwrngd/$(VERSION) -k $(KERNEL_RELEASE)
	@echo "They are loaded at each boot where there is a TPM, or a CPU with such instructions; now: modprobe -a tpm_rng cpu_rng"

dkms-remove: dkms-usable ## Remove what dkms-install installed, of any version
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

package-test: ## Build the packages for Debian 12 and 13; judge, install and purge them
	@tests/setup build test
	@tests/run package

clean: ## Remove build/ (the cache of kernels stays; it is below ~/.cache/hwrngd)
	rm -rf build

.PHONY: all help setup userspace modules run test check vm-test system-test long-test coverage soak fuzz cross-test peers-test kasan-test bench bench-kmod bench-starved style install dkms-install dkms-source dkms-usable dkms-modules dkms-remove deb package-test clean
