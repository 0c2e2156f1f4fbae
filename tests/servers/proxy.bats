#!/usr/bin/env bats
# Through microsocks and tinyproxy, which others wrote.
#
# What they hand on comes from 127.0.0.77, so the server sees which way the
# message took.  Whoever asks DNS here gets no answer: only a proxy, which
# asks the system, knows server.in.hosts.test.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:server.in.hosts.test'
	export CA=$D/ca/ca.pem
	start postfix.sh "$D/postfix" "$D/ca" 127.0.0.2
	export STORE=$D/postfix/mail
	echo '127.0.0.2 server.in.hosts.test' >>/etc/hosts
	service socks 1080 microsocks -i 127.0.0.1 -b 127.0.0.77 -p 1080
	service password 1081 microsocks -i 127.0.0.1 -b 127.0.0.77 -p 1081 \
		-u me@home -P 'a:b@c/d'
	http 8080
	http 8081 'BasicAuth me secret'
	start_announced sink "$TOOLS/sink" -p 9025
	start_announced silent "$TOOLS/sink" -p 9026 -w greeting
}

# service NAME PORT CMD...: start it, wait for its port.
service() {
	"$SERVERS/detach" "$D/$1.log" "${@:3}" &
	"$SERVERS/waitport" 127.0.0.1 "$2"
}

# http PORT [LINE]: a tinyproxy with one more line of configuration.
http() {
	cat >"$D/tiny.$1" <<-CONF
		Port $1
		Listen 127.0.0.1
		Bind 127.0.0.77
		Timeout 60
		LogLevel Connect
		ConnectPort 25
		ConnectPort 465
		${2:-}
	CONF
	service "tiny.$1.log" "$1" tinyproxy -d -c "$D/tiny.$1"
}

# through URL [ARGUMENT...]: it arrives, byte for byte, on that way.
through() {
	arrives plain -f alice@client.test --nameserver 127.0.0.8 --timeout 10 \
		--proxy "$1" --host server.in.hosts.test "${@:2}" \
		bob@example.test
	run cat "$(stored "plain.$BATS_TEST_NUMBER@client.test")"
	assert_output --partial '127.0.0.77'
	rm "$STORE"/all/new/*
}

# fails CODE URL HOST TEXT...: that is said, and nothing arrives.
fails() {
	run --separate-stderr "$SMTPSEND" -f alice@client.test \
		--timeout "${PATIENCE:-10}" \
		--proxy "$2" --host "$3" bob@example.test <<<x
	[ "$status" -eq "$1" ] || fail "exit code $status: $stderr"
	local text
	for text in "${@:4}"; do
		[[ $stderr == *"$text"* ]] || fail "no \"$text\" in $stderr"
	done
	[[ $stderr != *secret* && $stderr != *a:b@c* ]]
}

@test "SOCKS5" {
	through socks5://127.0.0.1:1080
	through socks5h://127.0.0.1
}

@test "SOCKS5 with a password" {
	through 'socks5://me%40home:a%3Ab%40c%2Fd@127.0.0.1:1081'
}

@test "HTTP" {
	through http://127.0.0.1:8080
	through http://127.0.0.1
}

@test "HTTP with a password" {
	through http://me:secret@127.0.0.1:8081
}

@test "TLS through a proxy is TLS with the server" {
	local url
	for url in socks5://127.0.0.1:1080 http://127.0.0.1:8080; do
		through "$url" --tls verify --tls-trust-file "$CA"
		through "$url" --tls verify --tls-trust-file "$CA" --port 465
	done
}

@test "a password that the proxy wants, or another one" {
	fails 77 socks5://127.0.0.1:1081 127.0.0.2 'proxy 127.0.0.1'
	fails 77 socks5://me%40home:secret@127.0.0.1:1081 127.0.0.2 \
		'proxy 127.0.0.1'
	fails 77 http://127.0.0.1:8081 127.0.0.2 'proxy 127.0.0.1'
	fails 77 http://me:a:b@c@127.0.0.1:8081 127.0.0.2 'proxy 127.0.0.1'
}

@test "no proxy there" {
	fails 75 socks5://127.0.0.1:1089 127.0.0.2 1089
	fails 75 http://127.0.0.1:8089 127.0.0.2 8089
}

@test "a server that the proxy cannot reach" {
	fails 75 socks5://127.0.0.1:1080 127.0.0.9 'proxy 127.0.0.1' 127.0.0.9
	fails 75 http://127.0.0.1:8080 127.0.0.9 'proxy 127.0.0.1' 127.0.0.9
}

@test "a port that the proxy forbids" {
	fails 75 http://127.0.0.1:8080 127.0.0.2:26 'proxy 127.0.0.1' 403
}

@test "a proxy that is none" {
	fails 75 socks5://127.0.0.1:9025 127.0.0.2 'proxy 127.0.0.1'
	fails 75 http://127.0.0.1:9025 127.0.0.2 'proxy 127.0.0.1'
}

@test "a proxy that says nothing" {
	local PATIENCE=0.5
	fails 75 socks5://127.0.0.1:9026 127.0.0.2 'proxy 127.0.0.1'
	fails 75 http://127.0.0.1:9026 127.0.0.2 'proxy 127.0.0.1'
}

@test "the next server when the proxy cannot reach the first" {
	local url
	for url in socks5://127.0.0.1:1080 http://127.0.0.1:8080; do
		through "$url" --host 127.0.0.9,server.in.hosts.test
	done
}
