# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Makes the guest's file system: busybox, a few other programs with their libraries, the kernel modules
# that the cases use, and our own modules.

# Folders below kernel/ in the modules' tree, and single modules.
guest_modules=(
	drivers/char/hw_random drivers/char/tpm drivers/virtio
	virtio_console virtio_net veth sch_netem algif_rng af_alg jitterentropy_rng sha3_generic drbg ansi_cprng cryptomgr
)

# For an architecture other than this machine's, the programs come from Debian's packages. Our own
# programs are left out, because they are built for this machine.
userland=''
guest_packages=(busybox-static coreutils dash kmod perl-base strace swtpm util-linux)
fetch_userland() {
	local suite=$1 packages folder
	say "fetching the guest's programs for $arch, once"
	private_apt "$PWD/apt" "$arch" "$suite" "$suite-security"
	mapfile -t packages < <(apt-get -qq --simulate install "${guest_packages[@]/%/:$arch}" |
		sed -nE "s/^Inst ([^ :]+)(:$arch)? \(([^ ]+) .*\[$arch\].*/\1:$arch=\3/p")
	unpack_packages "$PWD" "${packages[@]}"
	rm -rf apt usr/share
	# Packages of releases before trixie have folders outside of /usr.
	for folder in bin sbin lib lib64; do
		if [[ -d $folder ]]; then
			mkdir -p "usr/$folder"
			cp -a "$folder/." "usr/$folder/"
			rm -r "$folder"
		fi
		ln -s "usr/$folder" "$folder"
	done
}

# program_file PROGRAM: prints the path on the host of a program of the setting "programs". On another
# architecture than this machine's, an absolute path is that of a file of Debian's packages.
program_file() {
	case $1 in
	/*) echo "$userland$1" ;;
	*) echo "$top/$1" ;;
	esac
}

# program NAME: prints the path of the file to copy into the guest.
program() {
	if [[ $userland ]]; then
		find "$userland"/usr/{bin,sbin} -name "$1" | head -n 1
	else
		command -v "$1"
	fi
}

# libraries FILE: prints the libraries of a program. ldd works only for this machine's architecture.
libraries() {
	local queue=("$1") seen=' ' name path
	if [[ ! $userland ]]; then
		ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' || true
		return
	fi
	while ((${#queue[@]})); do
		for name in $(readelf -d "${queue[0]}" 2>/dev/null | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'); do
			[[ $seen != *" $name "* ]] || continue
			seen+="$name "
			path=$(find "$userland/usr/lib" -name "$name" | head -n 1)
			echo "$path"
			queue+=("$path")
		done
		queue=("${queue[@]:1}")
	done
}

# merged_usr ROOT: makes the links of a merged /usr. A second archive needs them too: a folder "lib" in it
# would replace the first one's link, and hide everything behind that link.
merged_usr() {
	mkdir -p "$1"/usr/{bin,sbin,lib,lib64}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$1"
}

# copy_program ROOT FILE...: copies programs with their libraries to the guest's /usr/bin. Our own programs
# are stripped, because their debug information would fill the guest's memory.
copy_program() {
	local root=$1 file library place loader
	shift
	for file; do
		cp -L "$file" "$root/usr/bin/"
		[[ ${file%/*} != "$top/build" ]] || strip "$root/usr/bin/${file##*/}"
		while read -r library; do
			place=${library#"$userland"}
			[[ ! $userland ]] || place=/usr/lib/${library##*/}
			mkdir -p "$root${place%/*}"
			[[ -e $root$place ]] || cp -L "$library" "$root$place"
		done < <(libraries "$file")
		[[ $userland ]] || continue
		# The program names the path of its loader, which is not in lib on ppc64el.
		loader=$(readelf -l "$file" 2>/dev/null | sed -nE 's/.*program interpreter: (.*)\]/\1/p' || true)
		[[ ! $loader || -e $root$loader ]] || cp -L "$(find "$userland/usr/lib" -name "${loader##*/}" | head -n 1)" "$root$loader"
	done
}

# pack ROOT: prints a cpio archive. It is not compressed, because under TCG that would be slower.
pack() { (cd "$1" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet); }

# copy_modules TREE ROOT RELEASE OURS: copies guest_modules and their dependencies, and our own modules.
copy_modules() {
	local from=$1/lib/modules/$3 to=$2/lib/modules/$3 ours=$4 entry wanted=() list
	mkdir -p "$to/updates"
	for entry in "${guest_modules[@]}"; do
		case $entry in
		*/*) wanted+=("^kernel/$entry/") ;;
		*) wanted+=("/${entry//[-_]/[-_]}\.ko(\.[xg]z)?:") ;;
		esac
	done
	list=$(IFS='|'; echo "${wanted[*]}")
	# A line of modules.dep has a module and all its dependencies.
	grep -E "$list" "$from/modules.dep" | tr -d : | tr ' ' '\n' | sort -u |
		(cd "$from" && cpio --pass-through --make-directories --quiet "$to")
	cp "$from"/modules.{builtin,builtin.modinfo,order} "$to/"
	find "$ours" -maxdepth 1 -name '*.ko' -exec cp -t "$to/updates" {} +
	# Where modprobe does not find them.
	[[ ! -d $ours/faults ]] || cp -r "$ours/faults" "$2/"
	depmod -b "$2" "$3"
}

copy_ours() {
	local root=$1 program
	for program in hwrngctl hwrngd rngtest; do
		[[ ! -x $top/build/$program ]] || copy_program "$root" "$top/build/$program"
	done
}

# make_initramfs KERNEL_ROOT OUR_MODULES FILE
make_initramfs() {
	local tree=$1 ours=$2 file=$3 root=$3.root release applet program suite
	release=$(<"$tree/release")
	if [[ $arch != "$native" ]]; then
		suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
		# Older releases do not have it.
		[[ $arch != riscv64 ]] || suite=trixie
		userland=$cache/userland/$suite-$arch-$(sha256sum <<<"${guest_packages[*]}" | cut -c -8)
		cached "$userland" fetch_userland "$suite"
	fi
	mkdir -p "$root"/{dev,proc,sys,run,tmp,root,etc/modprobe.d}
	merged_usr "$root"
	cp "$tests/init" "$tests/ktap.sh" "$root/"
	cp -L "$(program busybox)" "$root/usr/bin/busybox"
	for applet in $(busybox --list | grep -vx busybox); do
		ln -sf busybox "$root/usr/bin/$applet"
	done
	# Not busybox's shell, which prefers its own applets to the other programs.
	for program in kmod strace setpriv dash; do
		rm -f "$root/usr/bin/$program"
		copy_program "$root" "$(program "$program")"
	done
	ln -sf dash "$root/usr/bin/sh"
	for program in modprobe insmod rmmod lsmod modinfo depmod; do
		ln -sf /usr/bin/kmod "$root/usr/bin/$program"
	done
	[[ $userland ]] || copy_ours "$root"
	echo 'root:x:0:0:root:/root:/bin/sh
hwrngd:x:900:900:hwrngd:/:/bin/false
user:x:1000:1000:user:/tmp:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:
hwrngd:x:900:
user:x:1000:' >"$root/etc/group"
	printf 'blacklist tpm_rng\nblacklist cpu_rng\n' >"$root/etc/modprobe.d/held-back.conf"
	copy_modules "$tree" "$root" "$release" "$ours"
	pack "$root" >"$file"
	rm -rf "$root"
}
