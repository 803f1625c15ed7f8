# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# Shared by tests/peers/egd, egd-client and egd-tls: clients, and the output of results. Needs
# tests/vm/lib.sh, tests/vm/ktap.sh and tree.sh.

[[ -x build/hwrngd && -x build/hwrngd-egd && -x build/hwrngd-pull ]] || die "build/hwrngd is missing: make userspace"
need jq jq

unpack_peers() {
	say "fetching EGD clients, once"
	private_apt "$PWD/apt" "$native" bookworm
	unpack_packages "$PWD" socat libwrap0 libcrypt-random-seed-perl entropybroker libcrypto++8
	rm -rf apt
}
cached "$cache/egd-peers" unpack_peers
peers=$cache/egd-peers
libraries=$(printf '%s:' "$peers"/{usr/lib,lib}/*-linux-gnu)
peer() { LD_LIBRARY_PATH=$libraries "$peers/usr/bin/$1" "${@:2}"; }

work=$(mktemp -d)
pids=()
end() {
	((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap end EXIT
exec 3>"$work/ktap"
export output=$work/output
ktap_begin

# within SECONDS COMMAND...: runs it until it succeeds, for up to SECONDS.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return
		sleep 0.1
	done
}

# ask ADDRESS BYTES...: sends these hexadecimal bytes, and prints the whole answer in hexadecimal.
ask() {
	local address=$1
	shift
	# After the end of input the server answers and closes the connection.
	printf '%b' "$(printf '\\x%s' "$@")" | peer socat -t 5 - "$address" | od -An -v -tx1 | tr -d ' \n'
}
answer() { [[ $(ask "${@:2}") =~ ^$1$ ]]; }

# certificate NAME DAYS AUTHORITY: makes a key, and a certificate signed by AUTHORITY or by itself.
certificate() {
	local name=$work/$1 by=$work/$3
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -subj "/CN=$1" -out "$name.csr"
	if [[ $1 == "$3" ]]; then
		openssl x509 -req -in "$name.csr" -signkey "$name.key" -days "$2" -out "$name.pem" \
			-extfile <(echo basicConstraints=critical,CA:true)
	else
		openssl x509 -req -in "$name.csr" -CA "$by.pem" -CAkey "$by.key" -CAcreateserial -days "$2" -out "$name.pem" \
			-extfile <(echo subjectAltName=IP:127.0.0.1)
	fi
}

# Makes two authorities, a server's certificate, and all kinds of client certificates in $work.
make_certificates() {
	{
		certificate authority 1 authority
		certificate stranger 1 stranger
		certificate server 1 authority
		certificate client 1 authority
		certificate wrong 1 stranger
		certificate expired 0 authority
	} >"$output" 2>&1 || { cat "$output" >&2; die "openssl cannot make the certificates"; }
}

# make_tls_tree TREE: adds the files that hwrngd needs to serve TLS there.
make_tls_tree() {
	mkdir -p "$1/etc/hwrngd.conf.d"
	cp "$work"/{server.pem,server.key,authority.pem} "$1/etc/"
	printf '%s\n' '[egd]' 'tls_certificate = "/etc/server.pem"' 'tls_key = "/etc/server.key"' \
		'tls_client_ca = "/etc/authority.pem"' >"$1/etc/hwrngd.conf.d/tls.conf"
}

clients=build/peers/egd_clients
build_clients() {
	cmake --build build --target egd_clients >"$output" 2>&1 || { cat "$output"; die "tests/peers/egd_clients.cpp does not build"; }
}

# Prints the results and the totals. Fails if a test failed.
conclude() {
	ktap_end
	exec 3>&-
	sed -nE 's/^ok [0-9]+ /ok   /p; s/^not ok [0-9]+ /FAIL /p; s/^# ?/    /p' "$work/ktap"
	local passed failed skipped wrong
	read -r passed failed skipped wrong < <(read_ktap "$work/ktap")
	[[ -z $wrong ]] || { echo "FAIL $wrong"; failed=$((failed + 1)); }
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0 && passed > 0))
}
