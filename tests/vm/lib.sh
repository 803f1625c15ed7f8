# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the host side of the harness shares: messages, the cache, and Debian packages fetched
# with an apt configuration of our own, so that the machine's stays as it is.

# The test programs set these before they source this file, or leave the defaults.
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034
top=$(cd "$tests/../.." && pwd)
cache=${HWRNGD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hwrngd}
native=$(dpkg --print-architecture)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# cross_prefix ARCH: what the names of its cross compiler's programs begin with.
cross_prefix() {
	case $1 in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	ppc64el) echo powerpc64le-linux-gnu ;;
	riscv64) echo riscv64-linux-gnu ;;
	*) die "unknown architecture $1: amd64, arm64, ppc64el or riscv64" ;;
	esac
}

# need PROGRAM PACKAGE: a missing tool is named together with its remedy.
need() {
	command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]] ||
		die "$1 is missing: apt-get install $2"
}

# cached DIR COMMAND...: makes DIR once, by running COMMAND in an empty folder that takes its
# name only when the command succeeded. The lock lets a second run wait for the first one.
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
		# Not in a condition: bash would ignore a failing step inside it.
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

# The place that the machine's own apt takes a suite from, so that a local mirror or a
# snapshot is respected and no host's name has to stand here. The suites of one archive
# live side by side; security has an archive of its own.
archive_of() {
	local uri codename own
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	[[ $1 != *-security ]] || own+=-security
	# The format is for apt to expand.
	# shellcheck disable=SC2016
	while read -r uri codename; do
		if [[ $codename == "$own" ]]; then
			echo "$uri"
			return
		fi
	done < <(unset APT_CONFIG; apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages')
	return 1
}

# sources SUITE...: lines for a sources.list.
sources() {
	local suite uri
	for suite; do
		if uri=$(archive_of "$suite"); then
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
		elif [[ $suite != *-security ]]; then
			die "apt on this machine has no Debian archive to take $suite from (see apt-get indextargets)"
		fi
	done
}

# private_apt DIR ARCH SUITE...: an apt configuration below DIR. Everything that decides what
# apt sees is ours; proxies and credentials remain the machine's. Sets APT_CONFIG.
private_apt() {
	local dir=$1 arch=$2
	shift 2
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
		say "needed once, then kept in $cache: connect to the network or copy that folder from a machine that has it"
		return 1
	fi
}

# unpack_packages ROOT PACKAGE...: downloads with the private apt and unpacks into ROOT.
unpack_packages() {
	local root=$1 work deb
	shift
	work=$(mktemp -d "$root/debs.XXXXXX")
	if ! (cd "$work" && apt-get -qq download "$@" >log 2>&1); then
		cat "$work/log" >&2
		say "could not fetch $*"
		say "needed once, then kept in $cache: connect to the network, or remove that folder if the archive has moved on"
		rm -rf "$work"
		return 1
	fi
	for deb in "$work"/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	rm -rf "$work"
}

# read_ktap FILE: the sum of a KTAP file: passed, failed, skipped, and what is wrong with it, if anything.
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
			if (!NR) wrong = "nothing was said"
			else if (!plans) wrong = "ended early: no plan after " seen + 0 " results"
			else if (plans > 1) wrong = "more than one plan"
			else if (planned != seen + 0) wrong = seen + 0 " results, but " planned " planned"
			else if (disorder) wrong = "results are not numbered in order"
			else if (!planned) wrong = "no tests"
			print pass + 0, fail + 0, skip + 0, wrong
		}' "$1"
}

# run_mmdebstrap OPTION...: what it mounts, and who it starts, ends with it, also when it is killed.
run_mmdebstrap() {
	local alone=()
	((EUID != 0)) || alone=(unshare --mount --pid --fork --kill-child)
	"${alone[@]}" mmdebstrap "$@"
}

# make_debian SUITE PACKAGE... [-- OPTION...]: a Debian with these packages, in the folder "root" here;
# options are those of mmdebstrap.
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
		say "needed once, then kept in $cache: connect to the network or copy that folder from a machine that has it"
		return 1
	fi
}

# in_chroot ROOT FOLDER... -- COMMAND...: runs the command in ROOT, with these folders of the machine
# at the paths that they have here. What it writes elsewhere is in memory and ends with it, so ROOT
# stays as it was made; there is no network.
in_chroot() {
	((EUID == 0)) || die "a chroot can be entered as root alone"
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

# copy_tree DIR: this tree without what was built in it, in DIR, for who would write into it.
copy_tree() {
	mkdir -p "$1"
	tar -C "$top" --exclude=./build --exclude=./.git -c . | tar -C "$1" -x --no-same-owner
}

# checks_in_chroot NAME ROOT FOLDER COMMAND...: a command that prints KTAP (ktap.sh) to its standard
# output, with a copy of this tree as FOLDER/tree. Adds to passed, failed and skipped.
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

# files_outside FOLDER: what is in the chroot that this runs in, by name. No logs and caches, not what depmod
# and dpkg write anew, not what is kept of /etc/passwd when a user goes, and not the key for Secure Boot that
# DKMS makes once for all modules.
files_outside() {
	find / -xdev \( -path /proc -o -path "$1" -o -path /tmp -o -path /root -o -path /var/log -o -path /var/cache \) -prune -o -printf '%y %m %p\n' |
		grep -vE ' (/usr)?/lib/modules/[^/]+/modules\.| /var/lib/dkms/mok\.(key|pub)$| /var/lib/dpkg/.*-old$| /etc/[a-z]+-$' | sort
}

# newest_release VERSION SUFFIX [ARCH [BOOTS]]: of a kernel, the newest release whose image and
# headers are both in the private apt's archive: while a new kernel is being signed, its headers
# arrive before its image. Headers alone will do where BOOTS is given, and empty.
newest_release() {
	local version=$1 suffix=$2 arch=${3:-$native} boots=${4-1} release
	apt-cache pkgnames "linux-headers-$version" |
		sed -nE "s/^linux-headers-(${version//./\\.}\.[0-9]+([-+][0-9a-z.]+)?-$suffix)\$/\1/p" |
		sort -rV | while read -r release; do
			if apt-cache show ${boots:+"$(of_arch "linux-image-$release" "$arch")"} "$(of_arch "linux-headers-$release" "$arch")" >/dev/null 2>&1; then
				echo "$release"
				break
			fi
		done
}

# of_arch PACKAGE ARCH: headers for another architecture are used with the build tools of this one.
of_arch() {
	case $1 in
	*-common | linux-kbuild-*) echo "$1" ;;
	*) echo "$1:$2" ;;
	esac
}
