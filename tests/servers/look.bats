#!/usr/bin/env bats
# Looking at servers without sending: --server-info and --configure, with a
# real submission server and real name service.

# shellcheck disable=SC2030,SC2031 # status is set by run, in each test anew
load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" \
		'mx1=DNS:mail.acme.test,DNS:smtp.named.acme.test'
	export CA=$D/ca/ca.pem
	start dns.sh "$D/dns"
	start dovecot.sh "$D/dovecot" "$D/ca" 127.0.0.21 127.0.0.22
	start postfix.sh "$D/postfix" "$D/ca"
}

look() {
	run --separate-stderr "$SMTPSEND" --tls-trust-file "$CA" "$@"
}

# no_login: nobody tried to log in.
no_login() {
	run ! grep -E 'Login:|auth failed' "$D/dovecot/dovecot.log"
}

@test "what a server offers before and over TLS, in words" {
	look --server-info --host mail.acme.test:587
	assert_equal "$status" 0
	assert_equal "$stderr" ""
	assert_line --index 0 \
		'mail.acme.test [127.0.0.21] port 587, smtp, TLS verify (default)'
	assert_line greeting
	assert_line --regexp '^  mx1.example.test '
	assert_line offered
	assert_line --regexp '^  STARTTLS +the connection can be encrypted$'
	assert_line TLS
	assert_line --regexp '^  TLSv1.3 TLS_AES_256_GCM_SHA384 '
	assert_line '  certificate for mail.acme.test, smtp.named.acme.test'
	assert_line '  issued by "test CA"'
	assert_line --regexp '^  valid until 20[0-9-]+ [0-9:]+ UTC$'
	assert_line --regexp '^  verified: .*name'
	assert_line 'offered over TLS'
	assert_line --regexp '^  AUTH .*PLAIN.* +logging in, by these mechanisms$'
	no_login
}

@test "the same as JSON" {
	look --server-info --json --host smtps://mail.acme.test
	assert_equal "$status" 0
	jq -e '.host == "mail.acme.test" and .ip == "127.0.0.21" and
		.port == 465 and .tls.verified and .tls.version == "TLSv1.3" and
		.offered == [] and (.offered_tls | map(startswith("AUTH")) | any)
		and (.greeting | length) == 1' <<<"$output"
}

@test "a domain stands for its mail hosts" {
	look --server-info postmaster@relays.test
	assert_equal "$status" 75
	assert_regex "$stderr" '127\.0\.0\.1[123].* refused'
	look --server-info --tls none --resolve mail.acme.test:25:127.0.0.1 \
		acme.test
	assert_equal "$status" 0
	assert_line --index 0 \
		'mail.acme.test [127.0.0.1] port 25, smtp, TLS none (--tls)'
	assert_line --regexp '^  PIPELINING +'
	refute_line TLS
}

@test "what fails is told behind what was heard" {
	look --server-info --tls verify --tls-host other.test \
		--host mail.acme.test:587
	assert_equal "$status" 75
	assert_line --regexp '^  STARTTLS '
	refute_line 'offered over TLS'
	assert_regex "$stderr" 'not for other.test but for mail.acme.test'
}

@test "no server to look at" {
	look --server-info
	assert_equal "$status" 64
	look --server-info a.test b.test
	assert_equal "$status" 64
	look --server-info --host a.test b.test
	assert_equal "$status" 64
	assert_regex "$stderr" 'give one of --host HOST, -a ACCOUNT, or a domain'
}

# account DOMAIN HOST PORT STARTTLS: that is what was printed.
account() {
	assert_equal "$stderr" ""
	assert_equal "$status" 0
	assert_line "account $1"
	assert_line "host $2"
	assert_line "port $3"
	assert_line "tls_starttls $4"
	assert_line "tls on"
	assert_line "auth on"
}

@test "an account by SRV records, past a dead server" {
	look --configure joe@acme.test
	account acme.test mail.acme.test 465 off
	assert_line '# found by the SRV record of _submissions._tcp.acme.test'
	assert_line 'user joe@acme.test'
	refute_line --partial 'make sure'
	no_login
}

@test "an account elsewhere, with a word of warning" {
	look --configure joe@away.acme.test
	account away.acme.test mail.acme.test 587 on
	assert_line '# mail.acme.test is not below away.acme.test: make sure that it is your provider'"'"'s'
}

@test "an account by a name that such servers have" {
	look --configure joe@named.acme.test
	account named.acme.test smtp.named.acme.test 465 off
}

@test "an account by the domain that the mail hosts are in" {
	look --configure joe@customer.acme.test
	account customer.acme.test mail.acme.test 465 off
	assert_line --partial 'make sure'
}

@test "what is printed is an account" {
	look --configure joe@acme.test
	echo "$output" >"$BATS_TEST_TMPDIR/rc"
	chmod 600 "$BATS_TEST_TMPDIR/rc"
	run --separate-stderr "$SMTPSEND" -C "$BATS_TEST_TMPDIR/rc" --dry-run \
		bob@example.test < <(message plain x@client.test)
	assert_equal "$stderr" ""
	assert_equal "$status" 0
	assert_line --partial 'host mail.acme.test port 465'
}

@test "no server is found, or none to be trusted" {
	look --configure joe@nobody.acme.test
	assert_equal "$status" 68
	assert_equal "$output" ""
	assert_regex "$stderr" \
		'^smtpsend: no submission server of nobody.acme.test was found'
	look --configure joe@wrong.acme.test
	assert_equal "$status" 68
	assert_regex "$stderr" 'other.wrong.acme.test:465: .* not for other.wrong.acme.test'
	look --configure joe
	assert_equal "$status" 64
	look --configure 'joe@[127.0.0.1]'
	assert_equal "$status" 64
}

# What relays for this server is not there: it says so at MAIL.
@test "what is known of a connection stays with its failure" {
	look --json -f a@client.test --host mail.acme.test:587,127.0.0.29 \
		--user alice --passwordcmd 'echo pencil' \
		bob@example.test < <(message plain x@client.test)
	assert_equal "$status" 75
	jq -e '.recipients[0] | .stage == "mail" and .host == "mail.acme.test"
		and .tls.version == "TLSv1.3" and .tls.verified' <<<"$output"
	look --json --tls none -f a@client.test --host mail.acme.test:587 \
		bob@example.test < <(message plain x@client.test)
	assert_equal "$status" 77
	jq -e '.recipients[0] | .stage == "mail" and .tls == null' \
		<<<"$output"
}
