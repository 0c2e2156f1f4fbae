#!/usr/bin/env bats
# TLS with servers that others wrote: OpenSSL's (Postfix) and GnuTLS's (Exim),
# by STARTTLS and from the first octet, and certificates that will not do.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:mx1.example.test,IP:127.0.0.1' \
		'other=DNS:other.example.test' 'expired=IP:127.0.0.4'
	"$SERVERS/mkca" "$D/stranger" 'own=IP:127.0.0.3'
	"$SERVERS/mkexpired" "$D/ca" expired
	start postfix.sh "$D/postfix" "$D/ca"
	start exim.sh "$D/exim" "$D/ca" 127.0.0.2
	export CA=$D/ca/ca.pem
	handshaker 127.0.0.3 "$D/stranger/own"
	handshaker 127.0.0.4 "$D/ca/expired"
	handshaker 127.0.0.5 "$D/ca/other"
}

# handshaker IP NAME: something that speaks TLS, with that certificate, on
# port 465.
handshaker() {
	"$SERVERS/detach" "$D/s_server.$1" openssl s_server -quiet \
		-accept "$1:465" -cert "$2.crt" -key "$2.key" &
	"$SERVERS/waitport" "$1" 465
}

setup() {
	export STORE=$D/postfix/mail
}

# seen ARGUMENT...: the dialogue of a delivery.
seen() {
	run --separate-stderr "$SMTPSEND" -v -f alice@client.test "$@" \
		< <(message plain "$BATS_TEST_NUMBER@client.test")
}

# refused WORDS ARGUMENT...: nothing goes, temporarily, for that reason.
refused() {
	run --separate-stderr "$SMTPSEND" -f alice@client.test "${@:2}" \
		< <(message plain "$BATS_TEST_NUMBER@client.test")
	assert_equal "$status" 75
	run cat <<<"$stderr"
	assert_output --partial "deferred at starttls"
	assert_output --partial "$1"
}

@test "what a server offers is used, verified or not" {
	seen --host 127.0.0.1 bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *'C: STARTTLS'*'-- TLSv1.3 '*'not verified'*'C: EHLO'* ]]
	[[ $stderr == *'certificate for mx1.example.test, 127.0.0.1 by "test CA"'* ]]
}

@test "the server's facts from before TLS do not count behind it" {
	seen --host 127.0.0.1 bob@example.test
	run grep -c 'C: EHLO' <<<"$stderr"
	assert_output 2
}

@test "--tls none stays in clear" {
	seen --tls none --host 127.0.0.1 bob@example.test
	assert_equal "$status" 0
	[[ $stderr != *STARTTLS$'\n'*C:\ STARTTLS* ]]
}

@test "verified by STARTTLS, by address" {
	seen --tls verify --tls-trust-file "$CA" --host 127.0.0.1 \
		bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *', verified'* ]]
}

@test "every kind of message arrives through TLS" {
	for kind in plain eightbit dots empty unterminated mixed long big; do
		STORE=$D/postfix/mail arrives "$kind" -f alice@client.test \
			--tls verify --tls-trust-file "$CA" --host 127.0.0.1 \
			bob@example.test
		STORE=$D/exim/mail arrives "$kind" -f alice@client.test \
			--tls encrypt --host 127.0.0.2 bob@example.test
	done
}

@test "implicit TLS by scheme and by port" {
	arrives plain -f alice@client.test --tls-trust-file "$CA" \
		--host smtps://127.0.0.1 bob@example.test
	seen --tls-trust-file "$CA" --host 127.0.0.1:465 bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *', verified'*'S: 220 '* ]]
}

@test "implicit TLS is verified unless the user says otherwise" {
	refused 'the trust store does not have' --host smtps://127.0.0.1 \
		bob@example.test
	arrives plain -f alice@client.test --tls encrypt \
		--host smtps://127.0.0.1 bob@example.test
}

@test "a folder of hashed names is a trust store too" {
	mkdir "$BATS_TEST_TMPDIR/trust"
	cp "$CA" "$BATS_TEST_TMPDIR/trust"
	openssl rehash "$BATS_TEST_TMPDIR/trust"
	seen --tls verify --tls-trust-file "$BATS_TEST_TMPDIR/trust" \
		--host 127.0.0.1 bob@example.test
	assert_equal "$status" 0
}

@test "the system's trust store is the default" {
	cp "$CA" /etc/ssl/certs/test-ca.pem
	ln -s test-ca.pem \
		"/etc/ssl/certs/$(openssl x509 -in "$CA" -noout -hash).0"
	seen --tls verify --host 127.0.0.1 bob@example.test
	rm /etc/ssl/certs/*.0 /etc/ssl/certs/test-ca.pem
	assert_equal "$status" 0
}

@test "an unknown issuer" {
	refused 'the trust store does not have the certificate'\''s issuer' \
		--tls verify --host 127.0.0.1 bob@example.test
	refused 'issuer, "test CA"' --tls-trust-file "$CA" \
		--host smtps://127.0.0.3 bob@example.test
}

@test "an expired certificate names its day" {
	refused 'expired on 2021-01-01 00:00:00 UTC' \
		--tls-trust-file "$CA" --host smtps://127.0.0.4 bob@example.test
}

@test "a certificate for another name tells which" {
	refused 'is not for 127.0.0.5 but for other.example.test' \
		--tls-trust-file "$CA" --host smtps://127.0.0.5 bob@example.test
}

@test "--tls-host names what to verify" {
	seen --tls verify --tls-host mx1.example.test --tls-trust-file "$CA" \
		--host 127.0.0.2 bob@example.test
	assert_equal "$status" 0
	refused 'is not for nosuch.example.test but for mx1.example.test' \
		--tls verify --tls-host nosuch.example.test \
		--tls-trust-file "$CA" --host 127.0.0.2 bob@example.test
}

@test "a trust store that cannot be read is 78" {
	run "$SMTPSEND" -f alice@client.test --tls verify \
		--tls-trust-file /nonexistent --host 127.0.0.1 bob@example.test \
		<<<x
	assert_equal "$status" 78
	assert_output --partial /nonexistent
}

@test "a server without TLS, and TLS required" {
	start_announced sink "$TOOLS/sink" -a 127.0.0.6 -p 25
	refused 'does not offer STARTTLS, but TLS is required (encrypt' \
		--tls encrypt --host 127.0.0.6 bob@example.test
	arrives plain -f alice@client.test --host 127.0.0.6,127.0.0.1 \
		--tls verify --tls-trust-file "$CA" bob@example.test
}

@test "a server whose TLS is broken gets the message in clear" {
	OS_TLS=1 start opensmtpd.sh "$D/opensmtpd" "$D/ca" 127.0.0.7
	seen --host 127.0.0.7 bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *'-- again in clear: TLS handshake: '*'C: MAIL'* ]]
	refused 'TLS handshake: ' --tls encrypt --host 127.0.0.7 \
		bob@example.test
}
