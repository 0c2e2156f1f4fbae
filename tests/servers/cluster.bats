#!/usr/bin/env bats
# A site with three relays, found by its MX or SRV records: one after the
# other, by weight, and past one that dies while it works.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:r1.relays.test,DNS:r1.tls.relays.test'
	export CA=$D/ca/ca.pem
	start dns.sh "$D/dns"
	for n in 1 2 3; do
		start postfix.sh "$D/r$n" "$D/ca" "127.0.0.1$n"
	done
}

setup() {
	rm -f "$D"/r?/mail/all/new/*
	ID=$BATS_TEST_NUMBER@client.test
}

# to HOST [ARGUMENT...]: one message goes there.
to() {
	run --separate-stderr "$SMTPSEND" -f alice@client.test --host "$@" \
		bob@example.test < <(message plain "$ID")
}

# got RELAY...: these have it, and nobody else.
got() {
	[ "$status" -eq 0 ] || fail "exit code $status: $stderr"
	# Others may still arrive there, of a test before.
	"$SERVERS/waitfor" 30 holders "$ID"
	assert_equal "$(holders "$ID")" "$*"
}

# holders ID: the relays that have delivered it.
holders() {
	cd "$D" && grep -rlF "<$1>" r?/mail | grep /new/ | cut -d/ -f1 | sort |
		paste -sd ' ' | grep .
}
export -f holders

# spread HOST N: send N messages there, then how many each relay took is in
# $r1, $r2 and $r3.
spread() {
	local n ID=$BATS_TEST_NUMBER.${1//:/.}@client.test
	for ((n = 0; n < $2; n++)); do
		to "$1"
		[ "$status" -eq 0 ] || fail "exit code $status: $stderr"
	done
	"$SERVERS/waitfor" 30 all_taken "$2" "$ID" ||
		fail "not $2: $(taken 'r?' "$ID")"
	r1=$(taken r1 "$ID")
	r2=$(taken r2 "$ID")
	r3=$(taken r3 "$ID")
}

# taken RELAYS ID: how many messages of that ID they have accepted, by their
# logs, which are written behind them.
taken() {
	# shellcheck disable=SC2086 # it may be a pattern
	cat "$D"/$1/mail.log | grep -cF " message-id=<$2>" || true
}

all_taken() {
	[ "$(taken 'r?' "$2")" -ge "$1" ]
}
export -f taken all_taken

@test "by MX, the best first" {
	to mx:relays.test
	got r1
}

@test "by MX, equal ones in turns" {
	spread mx:equal.relays.test 40
	[ "$r1" -gt 0 ] && [ "$r2" -gt 0 ] && [ "$r3" -gt 0 ]
	assert_equal $((r1 + r2 + r3)) 40
}

@test "by SRV, the best first" {
	to srv:relays.test
	got r1
}

@test "by SRV, more to who has more weight" {
	spread srv:weights.relays.test 30
	[ "$r1" -gt "$r2" ] # else chance has odds of one to 10^7
	assert_equal "$r3" 0
	assert_equal $((r1 + r2)) 30
}

@test "TLS from the first octet goes before STARTTLS" {
	to srv:tls.relays.test --tls-trust-file "$CA"
	got r1
	run grep -h -A 2 '^Received: ' "$D"/r1/mail/all/new/*
	assert_output --partial 'with ESMTPS'
}

@test "a record that leads elsewhere leads nowhere" {
	to srv:stray.relays.test --tls-trust-file "$CA"
	assert_equal "$status" 75
	[[ $stderr == *'is not for stray.relays.test but for r1.relays.test'* ]]
}

@test "a dead one costs nothing" {
	spread mx:halfdead.relays.test 20
	assert_equal $((r2 + r3)) 20
	spread srv:halfdead.relays.test 20
	assert_equal "$r3" 20
}

@test "a site that takes no mail, and one that is not there: 68" {
	local host
	for host in mx:none srv:none srv:r1 mx:nosuch; do
		to $host.relays.test
		assert_equal "$status" 68
	done
}

@test "all of several places, in order" {
	to mx:none.relays.test,srv:relays.test
	got r1
}

# one N: send message N and note what is said of it.
one() {
	local status=0
	message plain "load.$1@client.test" | "$SMTPSEND" --json \
		-f alice@client.test --host mx:equal.relays.test \
		bob@example.test >"$1.json" 2>"$1.err" || status=$?
	echo "$1 $status" >"$1.status"
}

# die RELAY: at once, with all its processes and connections.
die() {
	local master
	master=$(tr -d ' ' <"$D/$1/q/pid/master.pid")
	# shellcheck disable=SC2046 # they are numbers
	kill -KILL "$master" $(cat "/proc/$master/task/$master/children")
}

# arrived: the number of each message that is in a mailbox, as often as it is.
arrived() {
	grep -rhoE '<load\.[0-9]+@' "$D"/r?/mail/all/new | tr -dc '0-9\n' | sort
}

# missing: those that are nowhere though somebody took them.
missing() {
	sed -n 's/ 0$//p' ./*.status | sort | comm -23 - <(arrived | uniq)
}

none_missing() {
	[ -z "$(missing)" ]
}

@test "one dies under load: none lost, none doubled in silence" {
	local n status doubt
	export -f one message arrived missing none_missing
	mkdir "$BATS_TEST_TMPDIR/load"
	cd "$BATS_TEST_TMPDIR/load"
	"$SERVERS/detach" log bash -c \
		"seq 200 | xargs -P 8 -I{} bash -c 'one {}'; echo finished" &
	"$SERVERS/waitfor" 120 test -e 60.status
	die r1
	"$SERVERS/waitfor" 120 grep -q finished log
	assert_equal "$(cat ./*.status | wc -l)" 200
	# What it had taken over it has not forgotten.
	start postfix.sh "$D/r1" "$D/ca" 127.0.0.11
	"$SERVERS/waitfor" 60 none_missing || fail "lost: $(missing)"
	arrived >boxes
	# shellcheck disable=SC2046 # they are numbers
	jq -r '.recipients[0].in_doubt' $(seq -f %.0f.json 200) >doubts
	# shellcheck disable=SC2046 # they are numbers
	while read -r n status doubt; do
		case $status.$doubt.$(grep -cx "$n" boxes) in
		0.false.1 | 75.false.0 | 75.true.[01]) ;;
		*) fail "$n: exit $status, in doubt: $doubt, arrived: $(
			grep -x "$n" boxes)" ;;
		esac
	done < <(paste -d ' ' <(cat $(seq -f %.0f.status 200)) doubts)
	# Only what it had in hand when it died was not delivered at once.
	[ "$(grep -c ' 75$' <(cat ./*.status))" -le 8 ]
}
