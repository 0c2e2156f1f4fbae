#!/usr/bin/env bats
# A configuration of msmtp does here what it does there: both are given the
# same file and the same message, and what the servers received is compared.
# Each file names a domain: without it msmtp calls itself localhost.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2' \
		alice=DNS:alice
	export CA=$D/ca/ca.pem
	start dovecot.sh "$D/dovecot" "$D/ca" 127.0.0.2 127.0.0.1
	POSTFIX_EXTRA='smtpd_tls_received_header = yes
smtpd_sasl_authenticated_header = yes' \
		start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1 \
		"$D/dovecot/run/smtp-auth"
	start dns.sh "$D/dns"
	chmod 600 "$D/ca/alice.key"
	export STORE=$D/postfix/mail
}

setup() {
	export HOME=$BATS_TEST_TMPDIR
	export ID=config.$BATS_TEST_NUMBER@client.test
	message plain "$ID" >"$BATS_TEST_TMPDIR/message"
}

# config: standard input is the file that both get.
config() {
	install -m 600 /dev/stdin "$BATS_TEST_TMPDIR/config"
}

# copies: the stored files of this message, in the order of their recipients.
copies() {
	stored "$ID" | xargs grep -m 1 -H '^Delivered-To: ' |
		sed 's/^\(.*\):Delivered-To: \(.*\)/\2 \1/' | sort | cut -d' ' -f2-
}

# arrived N: so many are there.
arrived() {
	[ "$(copies | wc -l)" -eq "$1" ]
}

export -f copies arrived

# seen CMD ARGUMENT...: run it on the message; then what the server got: each
# copy with its trace, without ids and times, and how the sender logged in.
seen() {
	: >"$D/dovecot/dovecot.log"
	: >"$D/postfix/mail.log"
	run "$1" -C "$BATS_TEST_TMPDIR/config" "${@:2}" \
		<"$BATS_TEST_TMPDIR/message"
	assert_success
	assert_output ''
	"$SERVERS/waitfor" 30 arrived "$(printf '%s\n' "${@:2}" |
		grep -c '^[a-z]*@example\.test$')"
	copies | xargs cat | sed -E '
		s/(E?SMTPS?A?) id [0-9A-F]+/\1/
		s/^\t(for <.*>; ).*/\t\1/
		s/^\t[A-Z][a-z]{2}, .* \(UTC\)$//
		s/with cipher .*/with some cipher/
		s/key-exchange .*//
		s/^\tid [A-Za-z0-9/+]{20,}/\tid/
		s/server-signature .*//'
	"$SERVERS/waitfor" 30 sessions_over "$D/postfix/mail.log"
	grep -ho 'sasl_method=.*' "$D/postfix/mail.log" || true
	grep -ho 'Login: user=<.*>, method=[^,]*' "$D/dovecot/dovecot.log" ||
		true
	rm -rf "$STORE/all/new"/*
}

# alike ARGUMENT...: both do the same, and what they did is in $output.  Where
# the mechanism is left to them (auth on), they may differ: msmtp takes PLAIN
# when there is TLS.
alike() {
	local theirs ours any=''
	! grep -q '^auth on' "$BATS_TEST_TMPDIR/config" || any=sasl_method=
	theirs=$(seen msmtp "$@" | sed "s/${any:-^$}[A-Z0-9-]*/$any/")
	ours=$(seen "$SMTPSEND" "$@" | sed "s/${any:-^$}[A-Z0-9-]*/$any/")
	assert_equal "$ours" "$theirs"
	run cat <<<"$ours"
}

@test "the plainest: STARTTLS and the best mechanism" {
	config <<-END
		account relay
		domain sender.client.test
		host 127.0.0.1
		port 25
		from alice@client.test
		tls on
		tls_trust_file $CA
		auth on
		user alice
		password pencil
	END
	alike -a relay bob@example.test
	assert_line --partial 'Authenticated sender: alice'
}

@test "defaults, and an account called default" {
	config <<-END
		# What all share.
		defaults
		tls on
		tls_trust_file $CA
		auth plain
		domain sender.client.test

		account provider
		host localhost
		from "alice@client.test"
		user alice
		passwordeval echo pencil

		account other
		host 127.0.0.9

		account default : provider
	END
	alike bob@example.test carol@example.test
	assert_line --partial 'sasl_method=PLAIN'
	assert_line --partial 'from sender.client.test'
}

@test "TLS from the first octet, to a submission server" {
	config <<-END
		account submission
		domain sender.client.test
		host 127.0.0.2
		port 465
		tls on
		tls_starttls off
		tls_trust_file $CA
		auth scram-sha-1
		user alice
		password "pencil"
		from alice@client.test
	END
	alike -a submission bob@example.test
	assert_line --partial 'method=SCRAM-SHA-1'
}

@test "the account that goes with the sender" {
	config <<-END
		account one
		host 127.0.0.9
		from one@client.test
		account two
		host 127.0.0.1
		tls off
		from *@two.client.test
		domain two.client.test
		account default : one
	END
	alike -f someone@two.client.test bob@example.test
	assert_line --partial 'Return-Path: <someone@two.client.test>'
	assert_line --partial 'from two.client.test'
}

@test "an account made of another" {
	config <<-END
		account base
		host 127.0.0.2
		port 587
		tls on
		tls_trust_file $CA
		auth login
		user nobody
		password pencil
		from alice@client.test
		account derived : base
		user alice
		domain derived.client.test
	END
	alike -a derived bob@example.test
	assert_line --partial 'user=<alice>, method=LOGIN'
}

@test "a certificate that is not looked at" {
	config <<-END
		account careless
		domain sender.client.test
		host 127.0.0.1
		tls on
		tls_certcheck off
		auth cram-md5
		user alice
		password pencil
		from alice@client.test
	END
	alike -a careless bob@example.test
	assert_line --partial 'sasl_method=CRAM-MD5'
}

@test "a certificate that is known by its print" {
	config <<-END
		account pinned
		domain sender.client.test
		host 127.0.0.1
		tls on
		tls_trust_file
		tls_fingerprint $(openssl x509 -in "$D/ca/mx1.crt" -noout \
		-fingerprint -sha256 | cut -d= -f2)
		from alice@client.test
	END
	alike -a pinned bob@example.test
	assert_line --partial 'using TLSv1'
}

@test "a certificate of our own" {
	config <<-END
		account certified
		domain sender.client.test
		host 127.0.0.2
		port 587
		tls on
		tls_trust_file $CA
		tls_cert_file $D/ca/alice.crt
		tls_key_file $D/ca/alice.key
		auth external
		user alice
		from alice@client.test
	END
	alike -a certified bob@example.test
	assert_line --partial 'method=EXTERNAL'
}

@test "no TLS, no login, an address of our own to come from" {
	config <<-END
		account bare
		domain sender.client.test
		host 127.0.0.1
		source_ip 127.0.0.5
		tls off
		auth off
		from alice@client.test
		timeout 20
	END
	alike -a bare bob@example.test
	assert_line --partial '[127.0.0.5]'
	refute_line --partial 'using TLS'
}

@test "a password of netrc" {
	install -m 600 /dev/stdin "$HOME/.netrc" <<-END
		machine other.test login alice password wrong
		machine localhost login alice password pencil
	END
	config <<-END
		account netrc
		domain sender.client.test
		host localhost
		tls on
		tls_trust_file $CA
		auth on
		user alice
		from alice@client.test
	END
	alike -a netrc bob@example.test
	assert_line --partial 'sasl_username=alice'
}

# refused ARGUMENT...: both call the configuration wrong.
refused() {
	local program
	for program in msmtp "$SMTPSEND"; do
		run -78 "$program" -C "$BATS_TEST_TMPDIR/config" "$@" \
			<"$BATS_TEST_TMPDIR/message"
	done
}

@test "files that both refuse" {
	config <<<$'account a\nnonsense on'
	refused -a a bob@example.test
	config <<<$'account a\nhost 127.0.0.1\nport many'
	refused -a a bob@example.test
	config <<<$'account a\nhost 127.0.0.1'
	refused -a b bob@example.test
	config <<<$'account a : nobody\nhost 127.0.0.1'
	refused -a a bob@example.test
	config <<<$'account a\nhost 127.0.0.1\npassword pencil'
	chmod 644 "$BATS_TEST_TMPDIR/config"
	refused -a a bob@example.test
}

@test "reports, by keywords and by options" {
	config <<-END
		account relay
		domain sender.client.test
		host 127.0.0.1
		from alice@client.test
		tls off
		dsn_notify never
		dsn_return headers
	END
	alike -a relay bob@example.test
	alike -a relay -N failure,delay -R full bob@example.test carol@example.test
	alike -a relay --dsn-notify=off --dsn-return=off bob@example.test
}
