#!/usr/bin/env bats
# Addresses in any script, at a Postfix that takes them and at one that does
# not offer SMTPUTF8.

load common

setup_file() {
	prepare
	certificates
	local domains='virtual_mailbox_domains = example.test, bücher.test,
	xn--bcher-kva.test
smtputf8_enable = yes'
	POSTFIX_EXTRA=$domains \
		start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1
	POSTFIX_EXTRA="$domains
smtpd_discard_ehlo_keywords = smtputf8" \
		start postfix.sh "$D/plain" "$D/ca" 127.0.0.2
	export STORE=$D/postfix/mail
}

# headers [N]: the message of this test with all that stands before it, each of
# so many copies.
headers() {
	local id=plain.$BATS_TEST_NUMBER@client.test
	"$SERVERS/waitfor" 30 copies "${1:-1}" "$id"
	stored "$id" | xargs -d '\n' cat
}

@test "a domain in U-labels goes as A-labels, wherever" {
	arrives plain -f alice@client.test --host 127.0.0.1 bob@bücher.test
	run headers
	assert_line 'X-Original-To: bob@xn--bcher-kva.test'
	refute_output --partial 'UTF8SMTP'
	export STORE=$D/plain/mail
	arrives plain -f alice@münchen.test --host 127.0.0.2 bob@BÜCHER.test
	run headers
	assert_line 'Return-Path: <alice@xn--mnchen-3ya.test>'
	assert_line 'X-Original-To: bob@xn--bcher-kva.test'
}

@test "local parts in UTF-8 arrive where SMTPUTF8 is offered" {
	arrives plain -f jörg@client.test --host 127.0.0.1 用户@bücher.test \
		'"ö x"@example.test'
	run headers 2
	assert_line 'Return-Path: <jörg@client.test>'
	assert_output --partial 'with UTF8SMTP'
	assert_line 'X-Original-To: 用户@bücher.test'
}

@test "a recipient that needs SMTPUTF8 fails alone, 65" {
	send --host 127.0.0.2 bob@example.test ö@example.test
	assert_equal "$status" 65
	run outcomes
	assert_line --regexp '^bob@example\.test delivered end 250'
	assert_line 'ö@example.test failed rcpt 0 5.6.7'
}

@test "a sender that needs SMTPUTF8 fails for all, 65" {
	send -f jörg@client.test --host 127.0.0.2 bob@example.test
	assert_equal "$status" 65
	run outcomes
	assert_output 'bob@example.test failed mail 0 5.6.7'
	refute grep -q 'from=<j' "$D/plain/mail.log"
}
