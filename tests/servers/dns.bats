#!/usr/bin/env bats
# Where mail goes, by a real name server (see zones/plain.test.zone).
#
# All hosts of this world are this host, to which MX routing refuses to send:
# --port 25 says that it is meant.

load common

sinks=(127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4 ::1)

setup_file() {
	prepare
	start dns.sh "$D/dns"
	for ip in "${sinks[@]}"; do
		mkdir "$D/$ip"
		start_announced "sink.$ip" "$TOOLS/sink" -a "$ip" -p 25 "$D/$ip"
	done
}

setup() {
	for ip in "${sinks[@]}"; do
		rm -f "$D/$ip"/*
	done
}

# mx ARGUMENT...: send by MX, to port 25 of whatever host.
mx() {
	send --port 25 "$@"
}

# receivers: the sinks that got a message, each as often as it did.
receivers() {
	local ip file
	for ip in "${sinks[@]}"; do
		for file in "$D/$ip"/*.msg; do
			[ ! -e "$file" ] || echo "$ip"
		done
	done
}

# delivered_to IP...: exit 0, and just these got it, once each.
delivered_to() {
	assert_equal "$status" 0
	run receivers
	assert_equal "$output" "$(printf '%s\n' "$@")"
}

# fails CODE: this exit code, and nobody got anything.
fails() {
	assert_equal "$status" "$1"
	assert_equal "$(receivers)" ''
}

@test "the lowest preference first" {
	mx a@order.plain.test
	delivered_to 127.0.0.1
}

@test "the next one when the first is down" {
	mx a@failover.plain.test
	delivered_to 127.0.0.2
}

@test "all down is temporary" {
	mx a@down.plain.test
	fails 75
}

@test "equal preferences are shuffled" {
	for _ in {1..40}; do
		mx a@equal.plain.test
		assert_equal "$status" 0
	done
	for ip in 127.0.0.1 127.0.0.2 127.0.0.3; do
		compgen -G "$D/$ip/*.msg"
	done
	assert_equal "$(receivers | wc -l)" 40
}

@test "without MX the domain's own address" {
	mx a@implicit.plain.test
	delivered_to 127.0.0.4
}

@test "without MX the domain's own IPv6 address" {
	mx a@implicit6.plain.test
	delivered_to ::1
}

@test "an IPv6 address is of no use with -4" {
	mx -4 a@implicit6.plain.test
	[ "$status" -ne 0 ]
	assert_equal "$(receivers)" ''
}

@test "null MX is 68, 5.1.10" {
	mx a@null.plain.test
	run -0 jq -c '[.exit, .recipients[0].outcome, .recipients[0].enhanced]' \
		<<<"$output"
	assert_output '[68,"failed","5.1.10"]'
	assert_equal "$(receivers)" ''
}

@test "NXDOMAIN is 68" {
	mx a@nothing.plain.test
	fails 68
}

@test "neither MX nor address is 68" {
	mx a@nodata.plain.test
	fails 68
}

@test "SERVFAIL by an expired signature is temporary" {
	mx a@expired.test
	fails 75
}

@test "SERVFAIL by a spoilt signature is temporary" {
	mx a@bogus.secure.test
	fails 75
}

@test "a good signature is good" {
	mx a@secure.test
	delivered_to 127.0.0.1
}

@test "REFUSED is temporary" {
	mx a@x.refuse.test
	fails 75
}

@test "no answer is temporary, within --timeout" {
	mx --timeout 1 a@x.drop.test
	fails 75
}

@test "a domain that is a CNAME" {
	mx a@alias.plain.test
	delivered_to 127.0.0.1
}

@test "a circle of CNAMEs is temporary" {
	mx a@loop1.plain.test
	fails 75
}

@test "an exchange that is a CNAME" {
	mx a@cnamemx.plain.test
	delivered_to 127.0.0.1
}

@test "exchanges without any address" {
	mx a@noaddr.plain.test
	[ "$status" -ne 0 ]
	assert_equal "$(receivers)" ''
}

@test "an exchange without address is passed over" {
	mx a@halfaddr.plain.test
	delivered_to 127.0.0.2
}

@test "an exchange whose name gets no answer is passed over" {
	mx --timeout 1 a@mxdrop.plain.test
	delivered_to 127.0.0.2
}

@test "an exchange whose name is REFUSED is temporary" {
	mx a@mxrefuse.plain.test
	fails 75
}

@test "of twelve exchanges only the first five are tried" {
	mx a@twelve.plain.test
	fails 75
}

@test "an answer too big for a datagram" {
	mx a@big.plain.test
	delivered_to 127.0.0.1
}

@test "an exchange that is this host is refused" {
	send a@self.plain.test
	run -0 jq -c '.recipients[0] | [.outcome, .enhanced]' <<<"$output"
	assert_output '["failed","5.4.6"]'
	assert_equal "$(receivers)" ''
}

@test "an exchange at an address of this host is refused" {
	send a@selfip.plain.test
	run -0 jq -c '.recipients[0] | [.outcome, .enhanced]' <<<"$output"
	assert_output '["failed","5.4.6"]'
	assert_equal "$(receivers)" ''
}

@test "this host ends the list" {
	send a@selflater.plain.test
	fails 75
}

@test "domains with the same exchanges share one copy" {
	mx a@share1.plain.test b@share2.plain.test c@share3.plain.test
	delivered_to 127.0.0.1
	run grep -c '^rcpt' "$D"/127.0.0.1/*.env
	assert_output 3
}

@test "domains with different exchanges get a copy each" {
	mx a@order.plain.test b@implicit.plain.test c@failover.plain.test
	delivered_to 127.0.0.1 127.0.0.2 127.0.0.4
}

@test "one domain fails, the other has it" {
	mx a@order.plain.test b@null.plain.test
	assert_equal "$status" 68
	assert_equal "$(receivers)" 127.0.0.1
}

@test "an address in the place of the domain" {
	mx 'a@[127.0.0.2]'
	delivered_to 127.0.0.2
}

@test "an IPv6 address in the place of the domain" {
	mx 'a@[IPv6:::1]'
	delivered_to ::1
}

@test "--resolve names the address of an exchange" {
	send --resolve mx1.plain.test:25:127.0.0.3 a@order.plain.test
	delivered_to 127.0.0.3
}

@test "a smarthost's name is looked up by the system" {
	echo '127.0.0.4 relay.in.hosts.test' >>/etc/hosts
	send --host relay.in.hosts.test a@order.plain.test
	delivered_to 127.0.0.4
}

@test "a smarthost that the system knows by the other family only" {
	echo '127.0.0.4 four.in.hosts.test' >>/etc/hosts
	run --separate-stderr "$SMTPSEND" -6 -f alice@client.test \
		--host four.in.hosts.test a@order.plain.test <<<x
	assert_equal "$status" 75
	assert_equal "$stderr" "smtpsend: a@order.plain.test: deferred at \
lookup: smarthost four.in.hosts.test has no IPv6 address"
}

@test "with --nameserver a smarthost's name is asked of DNS alone" {
	echo '127.0.0.4 mx3.plain.test' >>/etc/hosts
	send --nameserver 127.0.0.1 --host mx3.plain.test a@order.plain.test
	delivered_to 127.0.0.3
}

@test "a smarthost whose name gets no answer, within --timeout" {
	run --separate-stderr "$SMTPSEND" --timeout 0.3 -f alice@client.test \
		--host relay.drop.test a@order.plain.test <<<x
	assert_equal "$status" 75
	assert_equal "$stderr" "smtpsend: a@order.plain.test: deferred at \
lookup: look-up of relay.drop.test: timed out after 0.3 s"
}

@test "a smarthost that does not exist, and one behind it that does" {
	send --host nosuch.plain.test a@order.plain.test
	fails 68
	send --host nosuch.plain.test,mx2.plain.test a@order.plain.test
	delivered_to 127.0.0.2
}

@test "--nameserver is asked instead" {
	start dns.sh "$D/dns2" 127.0.0.7 5353
	echo 'nameserver 127.0.0.8' >/etc/resolv.conf
	mx --nameserver 127.0.0.7:5353 a@order.plain.test
	echo 'nameserver 127.0.0.1' >/etc/resolv.conf
	delivered_to 127.0.0.1
}

@test "--dry-run prints the plan and sends nothing" {
	run "$SMTPSEND" --dry-run --port 25 -f alice@client.test \
		a@order.plain.test </dev/null
	assert_success
	assert_output --regexp 'mx1\.plain\.test.*mx2\.plain\.test.*mx3\.plain\.test'
	assert_equal "$(receivers)" ''
}
