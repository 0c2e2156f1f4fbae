#!/usr/bin/env bats
# Who sends, and who gets it.
# shellcheck disable=SC2016,SC2154 # for another shell; run sets $stderr

load common

setup() {
	common_setup
	receiver box
}

# machine HOSTNAME MAILNAME CMD...: CMD on a machine of that name, with that
# /etc/mailname; "-" for none.
machine() {
	mkdir -p etc
	cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache etc
	[ "$2" = - ] || printf '%s' "$2" >etc/mailname
	HOST=$1 unshare --mount --uts sh -c \
		'echo "$HOST" >/proc/sys/kernel/hostname
		mount --bind etc /etc && shift 2 && exec "$@"' sh "$@"
}

# deliver_on HOSTNAME MAILNAME ARGUMENT...: deliver without -f.
deliver_on() {
	run --separate-stderr machine "$1" "$2" "$SMTPSEND" \
		--host "127.0.0.1:$PORT" "${@:3}" <message
}

sender() {
	sed -n 's/^mail \([^ ]*\).*/\1/p' "${1:-box/1.env}"
}

@test "several recipients in one argument" {
	deliver bob@x.test,carol@x.test ' dora@x.test , eve@x.test,'
	exits 0
	assert_equal "$(recipients)" \
		'<bob@x.test> <carol@x.test> <dora@x.test> <eve@x.test>'
	stored 1
}

@test "addresses as people write them" {
	deliver 'Bob <bob@x.test>' '"Carol, Dr." <carol@x.test>' \
		'dora@x.test (Dora)' 'Team: eve@x.test, fay@x.test;' \
		'<@relay.test:gus@x.test>' '"two words"@x.test'
	exits 0
	assert_equal "$(recipients)" '<bob@x.test> <carol@x.test> <dora@x.test> <eve@x.test> <fay@x.test> <gus@x.test> <"two words"@x.test>'
}

@test "one copy each: domains case-blind, local parts octet by octet" {
	deliver bob@x.test bob@X.TEST Bob@x.test 'B <bob@x.test>' bob@x.test.
	exits 0
	assert_equal "$(recipients)" '<bob@x.test> <Bob@x.test>'
}

@test "one bad recipient: the others get it, and 67" {
	deliver bob@x.test carol@ dora@x.test
	exits 67
	assert_equal "$(recipients)" '<bob@x.test> <dora@x.test>'
	assert_equal "$(wc -l <<<"$stderr")" 1
	says 'smtpsend: carol@: failed' 'at position 7'
}

@test "a bad recipient costs only itself in a list" {
	deliver 'bob@x.test,carol@x..test,dora@x.test'
	exits 67
	assert_equal "$(recipients)" '<bob@x.test> <dora@x.test>'
	says 'carol@x..test: failed'
}

@test "only bad recipients: 67, and nobody is called" {
	local address
	for address in bob bob@ @x.test 'bob@x test' '<bob@x.test' \
		bob@192.0.2.1 'bob@[192.0.2.256]' bob..b@x.test .bob@x.test \
		bob@-x.test "$(printf '%065d' 0)@x.test" \
		"bob@$(printf '%064d' 0).test"; do
		deliver "$address"
		exits 67
		assert_equal "$output" ''
		says ': failed at input: address '
	done
	stored 0
}

@test "CR, LF or a control character in a recipient reaches no server" {
	local address
	for address in $'bob@x.test\r\nRCPT TO:<eve@x.test>' $'bob\n@x.test' \
		$'"bob\r\n"@x.test' $'bob@x.test\r' $'b\tb@x.test' \
		$'"b\1"@x.test' $'bob@x.test\nDATA' $'"b\177"@x.test'; do
		deliver --json "$address" carol@x.test
		exits 67
		assert_equal "$(json '.recipients[1].outcome')" delivered
		assert_equal "$(json '.recipients[0].outcome')" failed
	done
	for address in box/*.env; do
		assert_equal "$(grep -c '^rcpt' "$address")" 1
	done
	stored 8
}

@test "CR, LF or a control character in the sender: 64, nobody is called" {
	local address
	for address in $'a@x.test\r\nRCPT TO:<eve@x.test>' $'a@x.test\n' \
		$'"a\r"@x.test' $'a@x.test> SIZE=1' $'a\1@x.test'; do
		send -f "$address" --host "127.0.0.1:$PORT" bob@x.test <message
		usage_error 'the sender: '
	done
	stored 0
}

@test "no recipient: 64" {
	deliver
	usage_error 'no recipient'
	deliver '' ' , ,'
	usage_error 'no recipient'
	stored 0
}

@test "an unusable sender: 64" {
	local address
	for address in bob bob@ Postmaster 'a@x.test,b@x.test' @; do
		send -f "$address" --host "127.0.0.1:$PORT" bob@x.test <message
		usage_error 'the sender: '
	done
	stored 0
}

@test "domains in any script go as A-labels" {
	deliver 'bob@münchen.test' 'bob@XN--MNCHEN-3YA.test' \
		'Jörg <carol@ＢＵＥＣＨＥＲ。test.>' dora@faß.test
	exits 0
	assert_equal "$(recipients)" \
		'<bob@xn--mnchen-3ya.test> <carol@buecher.test> <dora@xn--fa-hia.test>'
	send -f 'alice@bücher.test' --host "127.0.0.1:$PORT" bob@x.test <message
	exits 0
	assert_equal "$(sender box/2.env)" '<alice@xn--bcher-kva.test>'
}

@test "a domain that is none in its script: 67, and why" {
	deliver 'bob@mün_chen.test' 'carol@☃.test' dora@x.test
	exits 67
	assert_equal "$(recipients)" '<dora@x.test>'
	says 'bob@mün_chen.test: failed' 'an underscore stands in ASCII labels'
	says 'carol@☃.test: failed' 'a character in it is not for names'
}

@test "without libidn2 a domain in UTF-8 is temporary, ASCII goes" {
	mkdir -p empty
	: >empty/libidn2.so.0
	LD_LIBRARY_PATH=$PWD/empty deliver 'bob@münchen.test' carol@x.test
	exits 69
	assert_equal "$(recipients)" '<carol@x.test>'
	says 'bob@münchen.test: deferred' 'package libidn2-0'
	LD_LIBRARY_PATH=$PWD/empty send -f 'a@münchen.test' \
		--host "127.0.0.1:$PORT" bob@x.test <message
	exits 71
	says 'package libidn2-0'
}

@test "a local part in UTF-8 and a server without SMTPUTF8: 65" {
	deliver 'böb@x.test' carol@x.test
	exits 65
	assert_equal "$(recipients)" '<carol@x.test>'
	says 'smtpsend: böb@x.test: failed at rcpt' SMTPUTF8
	send -f 'böb@x.test' --host "127.0.0.1:$PORT" bob@x.test <message
	exits 65
	says "the sender's address is not ASCII"
	stored 1
}

@test "octets that are not UTF-8, and C1, are in no address" {
	deliver $'b\366b@x.test' $'b\302\205b@x.test' $'b@x.test\233' carol@x.test
	exits 67
	assert_equal "$(recipients)" '<carol@x.test>'
	says 'b\xF6b@x.test: failed' 'which is not UTF-8'
	says 'b\xC2\x85b@x.test: failed' 'control character \xC2\x85'
	send -f $'b\366b@x.test' --host "127.0.0.1:$PORT" bob@x.test <message
	usage_error 'which is not UTF-8'
}

@test "the null sender" {
	local value
	for value in '' '<>'; do
		send -f "$value" --host "127.0.0.1:$PORT" bob@x.test <message
		exits 0
	done
	assert_equal "$(sender box/1.env) $(sender box/2.env)" '<> <>'
}

@test "a sender as people write it" {
	send -f 'Alice (home) <alice@x.test>' --host "127.0.0.1:$PORT" \
		bob@x.test <message
	exits 0
	assert_equal "$(sender)" '<alice@x.test>'
}

@test "Postmaster needs no domain at a host" {
	deliver Postmaster '<postMASTER>'
	exits 0
	assert_equal "$(recipients)" '<Postmaster> <postMASTER>'
}

@test "Postmaster without a domain and without a host: 67" {
	send --dry-run -f a@x.test postmaster <message
	exits 67
	says 'postmaster: failed at lookup' 'set host to name the server'
}

@test "refused, deferred and taken recipients each have their line" {
	deliver permfail@x.test bob@x.test tempfail@x.test
	exits 67
	assert_equal "$(recipients)" '<bob@x.test>'
	says "smtpsend: permfail@x.test: failed at rcpt, 127.0.0.1:$PORT said: 550 5.1.1 no such user" \
		"smtpsend: tempfail@x.test: deferred at rcpt, 127.0.0.1:$PORT said: 451 4.7.1 try again later"
	assert_equal "$(wc -l <<<"$stderr")" 2
}

@test "some taken, some to be retried: 69, so that nobody resends to all" {
	deliver bob@x.test tempfail@x.test
	exits 69
	says 'other recipients have the message'
}

@test "all to be retried: 75" {
	deliver tempfail@x.test tempfail@y.test
	exits 75
	stored 0
}

@test "2,000 recipients in one message" {
	local -a many
	mapfile -t many < <(seq -f 'r%.0f@x.test' 2000)
	deliver "${many[@]}"
	exits 0
	assert_equal "$(cat box/*.env | grep -c '^rcpt')" 2000
	assert_equal "$(cat box/*.env | grep '^rcpt' | sort -u | wc -l)" 2000
}

@test "no -f: login@mailname goes before login@hostname" {
	deliver_on host.test $'mail.test\n' bob@x.test
	exits 0
	assert_equal "$(sender)" "<$(id -un)@mail.test>"
	assert_equal "$(head -n 1 box/1.env)" 'helo host.test'
}

@test "no -f, no mailname: login@hostname" {
	deliver_on host.test - bob@x.test
	exits 0
	assert_equal "$(sender)" "<$(id -un)@host.test>"
}

@test "no -f, an undotted hostname: the mailname, for EHLO too" {
	deliver_on host mail.test bob@x.test
	exits 0
	assert_equal "$(sender)" "<$(id -un)@mail.test>"
	assert_equal "$(head -n 1 box/1.env)" 'helo mail.test'
}

@test "no -f and no domain name at all: 64, give -f" {
	local mailname
	for mailname in - '' ' ' $'\nmail.test' a..b '<mail>'; do
		deliver_on host "$mailname" bob@x.test
		usage_error 'give -f'
		rm -f etc/mailname
	done
	stored 0
}

@test "no name at all: EHLO with the address" {
	deliver_on host - -f a@x.test bob@x.test
	exits 0
	assert_equal "$(head -n 1 box/1.env)" 'helo [127.0.0.1]'
}

# from_header HEADER ARGUMENT...: the message has this header; -t.
from_header() {
	printf '%b\nhello\n' "$1" >message
	deliver -t "${@:2}"
}

@test "-t: To, Cc and Bcc, folded, with groups, names and comments" {
	from_header 'To: Bob <bob@x.test>,\n "Carol, Dr." <carol@x.test>\nCc: Team: dora@x.test (Dora, not Eve <eve@x.test>);\nBcc: =?utf-8?Q?no=40x.test=2C?= <fay@x.test>\n'
	exits 0
	assert_equal "$(recipients)" \
		'<bob@x.test> <carol@x.test> <dora@x.test> <fay@x.test>'
	refute grep -qi bcc box/1.msg
}

@test "-t: addresses in UTF-8; an encoded word is none" {
	printf '%s\n' 'To: Jörg <bob@münchen.test>, böb@x.test,' \
		' =?utf-8?q?b=C3=B6b?=@x.test' 'Subject: hi' '' hello >message
	send -f alice@x.test --host "127.0.0.1:$PORT" --dry-run --json -t \
		<message
	exits 0
	assert_equal "$(json '[.recipients[].address] | join(" ")')" \
		'bob@xn--mnchen-3ya.test böb@x.test =?utf-8?q?b=C3=B6b?=@x.test'
}

@test "-t: recipients of the header are added to the arguments" {
	from_header 'To: bob@x.test, carol@x.test\n' dora@x.test bob@X.TEST
	exits 0
	assert_equal "$(recipients)" \
		'<dora@x.test> <bob@X.TEST> <carol@x.test>'
}

@test "-t: of a message sent on, those of its first Resent- fields" {
	from_header 'Resent-To: bob@x.test\nResent-Bcc: carol@x.test\nReceived: x\nResent-To: no@x.test\nTo: no@x.test\n'
	exits 0
	assert_equal "$(recipients)" '<bob@x.test> <carol@x.test>'
	refute grep -q carol box/1.msg
}

@test "-t: a bad address in the header: field, position, text; 67" {
	from_header 'To: bob@x.test\nCc: dora@x.test,\n carol@\n'
	exits 67
	assert_equal "$(recipients)" '<bob@x.test> <dora@x.test>'
	assert_equal "$(wc -l <<<"$stderr")" 1
	says 'smtpsend: carol@: failed' 'Cc: address "carol@"' 'at position 20'
}

@test "-t and nobody: 64, and where we looked" {
	from_header 'Subject: hi\nTo: undisclosed-recipients:;\nBcc:\n'
	exits 64
	says 'no recipient' 'To, Cc or Bcc'
	assert_equal "$(wc -l <<<"$stderr")" 1
	refute [ -e box/1.env ]
	from_header ''
	exits 64
}

@test "--keep-bcc leaves Bcc as it is, remove_bcc_headers off as well" {
	local header='Bcc: carol@x.test,\n dora@x.test\nTo: bob@x.test\nResent-bcc:\n'
	as_it_is
	from_header "$header" --keep-bcc fay@x.test
	exits 0
	assert_equal "$(recipients)" '<fay@x.test>'
	printf '%b\r\nhello\r\n' "${header//\\n/\\r\\n}" | cmp - box/1.msg
	printf 'defaults\nremove_bcc_headers off\n' >.msmtprc
	from_header 'Bcc: carol@x.test\n' -C .msmtprc
	exits 0
	assert_equal "$(recipients box/2)" '<carol@x.test>'
	grep -q '^Bcc: carol' box/2.msg
}

@test "without -t the header names nobody" {
	from_header 'To: no@x.test\n'
	printf 'To: no@x.test\n\nhello\n' >message
	deliver bob@x.test
	exits 0
	assert_equal "$(recipients box/2)" '<bob@x.test>'
	deliver
	exits 64
	says 'no recipient' -t
}
