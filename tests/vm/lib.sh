# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Functions shared by the programs on the host: messages, the cache, and fetching Debian packages.
# Packages are fetched with an apt configuration of our own, so that the machine's apt is not changed.

# Variables that the programs use. HWRNGD_CACHE can be set by the user.
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034
top=$(cd "$tests/../.." && pwd)
cache=${HWRNGD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hwrngd}
native=$(dpkg --print-architecture)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# cross_prefix ARCH: prints the prefix of the names of its cross compiler's programs.
cross_prefix() {
	case $1 in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	ppc64el) echo powerpc64le-linux-gnu ;;
	riscv64) echo riscv64-linux-gnu ;;
	*) die "unknown architecture $1: amd64, arm64, ppc64el or riscv64" ;;
	esac
}

# default_flavour ARCH: prints the flavour of Debian's kernels that is used unless another one is named. Only
# amd64 and arm64 have cloud kernels.
default_flavour() {
	case $1 in
	amd64 | arm64) echo cloud ;;
	*) echo generic ;;
	esac
}

# need PROGRAM PACKAGE: ends the program if the tool is missing, and says how to install it.
need() {
	command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]] ||
		die "$1 is missing: apt-get install $2"
}

# cached DIR COMMAND...: makes DIR, unless it exists. COMMAND runs in an empty folder, which is
# renamed to DIR after success. The lock makes a second run wait for the first one.
cached() {
	local dir=$1 new fd status
	shift
	[[ -d $dir ]] && return
	mkdir -p "$(dirname "$dir")"
	exec {fd}>"$dir.lock"
	flock "$fd"
	if [[ ! -d $dir ]]; then
		new=$dir.new
		rm -rf "$new"
		mkdir "$new"
		# Not in a condition, because bash would then ignore failing steps inside it.
		set +e
		(set -e; cd "$new"; "$@")
		status=$?
		set -e
		if ((status)); then
			rm -rf "$new"
			exit "$status"
		fi
		mv "$new" "$dir"
	fi
	exec {fd}>&-
}

# archive_of SUITE: prints the address from which the machine's own apt takes this suite. So a local
# mirror or a snapshot is respected, and no host name is needed here. All suites of an archive have
# the same address; security updates have an archive of their own.
archive_of() {
	local uri codename own
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	[[ $1 != *-security ]] || own+=-security
	# apt expands the format, not the shell.
	# shellcheck disable=SC2016
	while read -r uri codename; do
		if [[ $codename == "$own" ]]; then
			echo "$uri"
			return
		fi
	done < <(unset APT_CONFIG; apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages')
	return 1
}

# sources SUITE...: prints lines for a sources.list.
sources() {
	local suite uri
	for suite; do
		if uri=$(archive_of "$suite"); then
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
		elif [[ $suite != *-security ]]; then
			die "apt on this machine has no Debian archive with $suite (see apt-get indextargets)"
		fi
	done
}

# private_apt DIR ARCH SUITE...: makes an apt configuration below DIR and sets APT_CONFIG. Only the
# machine's proxies and credentials are used; everything else is ours. Guests need no security updates, and
# mirrors may lack those of ppc64el and riscv64.
private_apt() {
	local dir=$1 arch=$2 suite fetched=()
	for suite in "${@:3}"; do
		[[ $suite == *-security && $arch == @(ppc64el|riscv64) ]] || fetched+=("$suite")
	done
	set -- "${fetched[@]}"
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial,empty}
	sources "$@" >"$dir/sources.list"
	{
		apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|ForceIPv)' || true
		cat <<-END
			APT::Architecture "$native";
			APT::Architectures { "$native"; "$arch"; };
			APT::Install-Recommends "false";
			APT::Sandbox::User "root";
			APT::Update::Error-Mode "any";
			Acquire::Languages "none";
			Acquire::Retries "3";
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "$dir/empty";
			Dir::Etc::sourcelist "$dir/sources.list";
			Dir::Etc::sourceparts "$dir/empty";
			Dir::Etc::preferences "/dev/null";
			Dir::Etc::preferencesparts "$dir/empty";
			Dir::State "$dir/state";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir/cache";
		END
	} >"$dir/apt.conf"
	[[ -e $dir/status ]] || : >"$dir/status"
	export APT_CONFIG=$dir/apt.conf
	if ! apt-get -qq update >"$dir/log" 2>&1; then
		cat "$dir/log" >&2
		say "could not fetch the package lists of $*"
		say "it is needed once, and then kept in $cache. Connect to the network, or copy that folder from a machine that has it"
		return 1
	fi
}

# unpack_packages ROOT PACKAGE...: downloads packages with the private apt and unpacks them into ROOT.
unpack_packages() {
	local root=$1 work deb
	shift
	work=$(mktemp -d "$root/debs.XXXXXX")
	if ! (cd "$work" && apt-get -qq download "$@" >log 2>&1); then
		cat "$work/log" >&2
		say "could not fetch $*"
		say "it is needed once, and then kept in $cache. Connect to the network, or remove that folder if the archive no longer has these versions"
		rm -rf "$work"
		return 1
	fi
	for deb in "$work"/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	rm -rf "$work"
}

# read_ktap FILE: prints how many results of a KTAP file passed, failed and were skipped, and what is
# wrong with the file, if anything.
read_ktap() {
	awk '
		{ sub(/\r$/, "") }
		/^1\.\.[0-9]+$/ { planned = substr($0, 4) + 0; plans++ }
		/^(not )?ok [0-9]+/ {
			number = $1 == "not" ? $3 : $2
			if (number != ++seen) disorder = 1
			if ($1 == "not") fail++
			else if (/# SKIP/) skip++
			else pass++
		}
		END {
			if (!NR) wrong = "no output"
			else if (!plans) wrong = "ended early: no plan after " seen + 0 " results"
			else if (plans > 1) wrong = "more than one plan"
			else if (planned != seen + 0) wrong = seen + 0 " results, but " planned " planned"
			else if (disorder) wrong = "results are not numbered in order"
			else if (!planned) wrong = "no tests"
			print pass + 0, fail + 0, skip + 0, wrong
		}' "$1"
}

# run_mmdebstrap OPTION...: runs it so that its mounts and processes end with it, even if it is killed.
run_mmdebstrap() {
	local alone=()
	((EUID != 0)) || alone=(unshare --mount --pid --fork --kill-child)
	"${alone[@]}" mmdebstrap "$@"
}

# make_debian SUITE PACKAGE... [-- OPTION...]: makes a Debian with these packages in the folder "root"
# of the current folder. The options are passed to mmdebstrap.
make_debian() {
	local suite=$1 packages=()
	shift
	while (($#)) && [[ $1 != -- ]]; do
		packages+=("$1")
		shift
	done
	need mmdebstrap mmdebstrap
	sources "$suite" "$suite-security" >sources.list
	if ! (unset APT_CONFIG; run_mmdebstrap --variant=apt --include="${packages[*]}" --aptopt='Apt::Install-Recommends "false"' \
		"${@:2}" "$suite" root sources.list >log 2>&1); then
		tail -n 20 log >&2
		say "could not make a Debian $suite with ${packages[*]}"
		say "it is needed once, and then kept in $cache. Connect to the network, or copy that folder from a machine that has it"
		return 1
	fi
}

# in_chroot ROOT FOLDER... -- COMMAND...: runs the command in ROOT, without network. These folders of
# the machine have the same paths there. All other writes go to memory and are lost at the end, so
# ROOT does not change.
in_chroot() {
	((EUID == 0)) || die "only root can enter a chroot: run this as root"
	# shellcheck disable=SC2016
	unshare --mount --pid --ipc --net --fork --kill-child bash -euc '
		over=$1/mnt root=$1/mnt/root
		mount -t tmpfs tmpfs "$over"
		mkdir "$over"/{upper,work,root}
		mount -t overlay -o "lowerdir=$1,upperdir=$over/upper,workdir=$over/work" overlay "$root"
		mount -t proc proc "$root/proc"
		for folder in "${@:2}"; do
			shift
			[[ $folder != -- ]] || break
			mkdir -p "$root$folder"
			mount --bind "$folder" "$root$folder"
		done
		shift
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 chroot "$root" "$@"
	' in_chroot "$@"
}

# copy_tree DIR: copies this tree without its build folder to DIR, for tests that write into the tree.
copy_tree() {
	mkdir -p "$1"
	tar -C "$top" --exclude=./build --exclude=./.git -c . | tar -C "$1" -x --no-same-owner
}

# checks_in_chroot NAME ROOT FOLDER COMMAND...: runs a command that prints KTAP (ktap.sh) to standard
# output, with a copy of this tree in FOLDER/tree. Adds its results to passed, failed and skipped.
checks_in_chroot() {
	local name=$1 root=$2 folder=$3 status=0 pass fail skip wrong
	shift 3
	copy_tree "$folder/tree"
	in_chroot "$root" "$folder" -- "$@" >"$folder/ktap.log" 2>"$folder/errors.log" || status=$?
	sed -nE "s/^ok [0-9]+ /ok   $name: /p; s/^not ok [0-9]+ /FAIL $name: /p; s/^# ?/    /p" "$folder/ktap.log"
	read -r pass fail skip wrong < <(read_ktap "$folder/ktap.log")
	((status == 0)) || wrong="exit code $status${wrong:+; $wrong}"
	if [[ $wrong ]]; then
		echo "FAIL $name: $wrong"
		tail -n 20 "$folder/errors.log"
		fail=$((fail + 1))
	fi
	passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
}

# files_outside FOLDER: lists the files in the chroot in which this runs, outside of FOLDER. Not listed:
# logs and caches, the files that depmod and dpkg regenerate, the backups of /etc/passwd and the like, and
# the Secure Boot key that DKMS makes once for all modules.
files_outside() {
	find / -xdev \( -path /proc -o -path "$1" -o -path /tmp -o -path /root -o -path /var/log -o -path /var/cache \) -prune -o -printf '%y %m %p\n' |
		grep -vE ' (/usr)?/lib/modules/[^/]+/modules\.| /var/lib/dkms/mok\.(key|pub)$| /var/lib/dpkg/.*-old$| /etc/[a-z]+-$' | sort
}

# newest_release VERSION SUFFIX [ARCH]: prints the newest release of a kernel whose image and headers are
# both in the private apt's archive. (While a new kernel is being signed, only its headers are there.)
newest_release() {
	local version=$1 suffix=$2 arch=${3:-$native} release
	apt-cache pkgnames "linux-headers-$version" |
		sed -nE "s/^linux-headers-(${version//./\\.}\.[0-9]+([-+][0-9a-z.]+)?-$suffix)\$/\1/p" |
		sort -rV | while read -r release; do
			if apt-cache show "$(of_arch "linux-image-$release" "$arch")" "$(of_arch "linux-headers-$release" "$arch")" >/dev/null 2>&1; then
				echo "$release"
				break
			fi
		done
}

# of_arch PACKAGE ARCH: prints PACKAGE:ARCH; for build tools just PACKAGE, which runs on this machine.
of_arch() {
	case $1 in
	*-common | linux-kbuild-*) echo "$1" ;;
	*) echo "$1:$2" ;;
	esac
}
