#!/usr/bin/env bats
# TLS with servers that others wrote: OpenSSL's (Postfix) and GnuTLS's (Exim),
# by STARTTLS and from the first octet, and certificates that will not do.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:mx1.example.test,IP:127.0.0.1' \
		'other=DNS:other.example.test' 'expired:past=IP:127.0.0.4' \
		'early:future=IP:127.0.0.8' 'weak:weak=IP:127.0.0.9' \
		'sha1:sha1=IP:127.0.0.10' 'must:staple=IP:127.0.0.11' \
		'six=IP:::1' 'wild=DNS:*.wild.example.test' 'client=DNS:client.test'
	"$SERVERS/mkca" "$D/stranger" 'own=IP:127.0.0.3' 'client=DNS:client.test'
	"$SERVERS/mkstatus" "$D/ca" ocsp mx1.ocsp mx1 good
	chmod 644 "$D/ca/mx1.ocsp"
	start postfix.sh "$D/postfix" "$D/ca"
	start exim.sh "$D/exim" "$D/ca" 127.0.0.2
	export CA=$D/ca/ca.pem
	handshaker 127.0.0.3 "$D/stranger/own"
	handshaker 127.0.0.4 "$D/ca/expired"
	handshaker 127.0.0.5 "$D/ca/other"
}

# handshaker IP NAME [ARGUMENT...]: something that speaks TLS, with that
# certificate, on port 465.
handshaker() {
	"$SERVERS/detach" "$D/s_server.$1" openssl s_server -quiet \
		-accept "$1:465" -cert "$2.crt" -key "$2.key" "${@:3}" &
	"$SERVERS/waitport" "$1" 465
}

# peer IP NAME [WORD...]: SMTP behind TLS on port 465, or $PEER, with that
# certificate.
peer() {
	start_announced "peer.$1" "$SERVERS/tlspeer.py" "$1" "${PEER:-465}" \
		"$D/ca/$2.pem" "$D/ca/$2.key" "${@:3}"
}

# fingerprint NAME: SHA-256 of its certificate, as OpenSSL prints it.
fingerprint() {
	openssl x509 -in "$D/ca/$1.crt" -noout -fingerprint -sha256 |
		sed 's/.*=//'
}
# key_fingerprint NAME: and of its key.
key_fingerprint() {
	openssl pkey -in "$D/ca/$1.key" -pubout -outform DER | sha256sum |
		cut -d ' ' -f 1
}

# misconfigured WORDS ARGUMENT...: nothing goes, for good, for that reason.
misconfigured() {
	run "$SMTPSEND" -f alice@client.test "${@:2}" bob@example.test <<<x
	assert_equal "$status" 78
	assert_output --partial "$1"
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

@test "nothing that was offered before TLS is used behind it" {
	local ehlo
	for ehlo in 250 502; do
		PEER=587 peer 127.0.0.${ehlo%??} mx1 "ehlo=$ehlo" \
			'clear=SIZE 10,DSN,8BITMIME,LIMITS RCPTMAX=1'
		seen --host "smtp://127.0.0.${ehlo%??}:587" --tls encrypt \
			-N success bob@example.test eve@example.test
		[[ $stderr == *'C: STARTTLS'* ]]
		assert_equal "$status" 0
		run ! grep -E 'C: (MAIL|RCPT).*(SIZE|BODY|NOTIFY)|C: RSET' \
			<<<"$stderr"
	done
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

@test "a certificate that is not valid yet names its day" {
	handshaker 127.0.0.8 "$D/ca/early"
	refused 'not valid before 2099-01-01 00:00:00 UTC' \
		--tls-trust-file "$CA" --host smtps://127.0.0.8 bob@example.test
}

@test "a certificate signed by itself" {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=me -days 2 \
		-addext subjectAltName=IP:127.0.0.12 -keyout "$D/me.key" \
		-out "$D/me.crt"
	handshaker 127.0.0.12 "$D/me"
	refused 'signed by nobody but itself' --tls-trust-file "$CA" \
		--host smtps://127.0.0.12 bob@example.test
}

@test "a key too weak, a signature by SHA-1" {
	handshaker 127.0.0.9 "$D/ca/weak" -cipher DEFAULT@SECLEVEL=0
	refused 'the key of the server'\''s certificate is too weak' \
		--tls-trust-file "$CA" --host smtps://127.0.0.9 bob@example.test
	handshaker 127.0.0.10 "$D/ca/sha1" -cipher DEFAULT@SECLEVEL=0
	refused 'has a signature by a digest that is broken' \
		--tls-trust-file "$CA" --host smtps://127.0.0.10 bob@example.test
	refused 'has a signature by a digest that is broken' --tls-min 1.0 \
		--tls-trust-file "$CA" --host smtps://127.0.0.10 bob@example.test
}

@test "an IPv6 address, a wildcard" {
	peer ::1 six
	seen --tls-trust-file "$CA" --host 'smtps://[::1]' bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *'certificate for ::1 '*', verified by chain and name'* ]]
	peer 127.0.0.13 wild
	seen --tls-trust-file "$CA" --tls-host a.wild.example.test \
		--host smtps://127.0.0.13 bob@example.test
	assert_equal "$status" 0
	for name in wild.example.test a.b.wild.example.test; do
		refused "not for $name but for *.wild.example.test" \
			--tls-trust-file "$CA" --tls-host "$name" \
			--host smtps://127.0.0.13 bob@example.test
	done
}

@test "a certificate on the list of the revoked" {
	"$SERVERS/mkstatus" "$D/ca" crl none.crl
	"$SERVERS/mkstatus" "$D/ca" crl all.crl now later other mx1
	"$SERVERS/mkstatus" "$D/ca" crl old.crl 20200101000000Z 20200201000000Z
	"$SERVERS/mkstatus" "$D/stranger" crl none.crl
	verify=(--tls verify --tls-trust-file "$CA" --host 127.0.0.1
		bob@example.test)
	seen --tls-crl-file "$D/ca/none.crl" "${verify[@]}"
	assert_equal "$status" 0
	openssl crl -in "$D/ca/none.crl" -outform DER -out "$D/none.der"
	seen --tls-crl-file "$D/none.der" "${verify[@]}"
	assert_equal "$status" 0
	refused 'the server'\''s certificate was revoked by its issuer "test CA"' \
		--tls-crl-file "$D/ca/all.crl" "${verify[@]}"
	refused "in $D/ca/old.crl ended on 2020-02-01 00:00:00 UTC" \
		--tls-crl-file "$D/ca/old.crl" "${verify[@]}"
}

@test "a file of lists that is of no use" {
	mkdir "$D/third"
	openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=another CA' \
		-keyout "$D/third/ca.key" -out "$D/third/ca.pem"
	"$SERVERS/mkstatus" "$D/third" crl none.crl
	verify=(--tls verify --tls-trust-file "$CA" --host 127.0.0.1)
	refused 'has no revocation list of "test CA"' \
		--tls-crl-file "$D/third/none.crl" "${verify[@]}" bob@example.test
	misconfigured '/nonexistent: No such file' \
		--tls-crl-file /nonexistent "${verify[@]}"
	misconfigured 'no revocation list in it' --tls-crl-file "$CA" \
		"${verify[@]}"
}

@test "a staple that says good" {
	seen --tls verify --tls-trust-file "$CA" --tls-host mx1.example.test \
		--host 127.0.0.2 bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *', verified by chain and name, staple good'* ]]
	seen --tls encrypt --host 127.0.0.2 bob@example.test
	assert_equal "$status" 0
	[[ $stderr != *staple* ]]
}

@test "a staple that says revoked, or nothing, or is another's" {
	local n=20 what
	for what in 'revoked:was revoked on 2026-01-02 00:00:00 UTC (stapled' \
		'unknown:the issuer does not know the server'; do
		"$SERVERS/mkstatus" "$D/ca" ocsp other.ocsp other "${what%%:*}"
		handshaker 127.0.0.$n "$D/ca/other" \
			-status_file "$D/ca/other.ocsp"
		refused "${what#*:}" --tls-trust-file "$CA" \
			--tls-host other.example.test \
			--host smtps://127.0.0.$n bob@example.test
		n=$((n + 1))
	done
	handshaker 127.0.0.$n "$D/ca/other" -status_file "$D/ca/mx1.ocsp"
	refused 'an OCSP answer about another certificate' \
		--tls-trust-file "$CA" --tls-host other.example.test \
		--host smtps://127.0.0.$n bob@example.test
}

@test "a staple by somebody else" {
	cp "$D/ca/other.crt" "$D/stranger"
	"$SERVERS/mkstatus" "$D/stranger" ocsp other.ocsp other good
	handshaker 127.0.0.23 "$D/ca/other" \
		-status_file "$D/stranger/other.ocsp"
	refused 'that is not signed by the certificate'\''s issuer' \
		--tls-trust-file "$CA" --tls-host other.example.test \
		--host smtps://127.0.0.23 bob@example.test
}

@test "a certificate that demands a staple" {
	"$SERVERS/mkstatus" "$D/ca" ocsp must.ocsp must good
	handshaker 127.0.0.11 "$D/ca/must"
	refused 'demands a stapled OCSP answer, and the server sent none' \
		--tls-trust-file "$CA" --host smtps://127.0.0.11 bob@example.test
	"$SERVERS/detach" "$D/s_server.must" openssl s_server -quiet \
		-accept 127.0.0.11:587 -cert "$D/ca/must.crt" \
		-key "$D/ca/must.key" -status_file "$D/ca/must.ocsp" &
	"$SERVERS/waitport" 127.0.0.11 587
	seen --tls-trust-file "$CA" --host smtps://127.0.0.11:587 \
		bob@example.test
	[[ $stderr == *'by chain and name, staple good'* ]]
}

@test "the fingerprint of a certificate, of its key, of neither" {
	seen --tls-fingerprint "$(fingerprint mx1)" --host smtps://127.0.0.1 \
		bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *', verified by fingerprint of the certificate'* ]]
	seen --tls-fingerprint "$(key_fingerprint mx1)" --tls verify \
		--host 127.0.0.1 bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *', verified by fingerprint of the key'* ]]
	refused "of its certificate: $(fingerprint mx1 | tr -d : |
		tr A-F a-f), of its key: $(key_fingerprint mx1)" \
		--tls-fingerprint "$(fingerprint other)" --tls verify \
		--host 127.0.0.1 bob@example.test
}

@test "a fingerprint counts, whatever the certificate is otherwise" {
	seen --tls-fingerprint "$(fingerprint expired)" \
		--host smtps://127.0.0.4 bob@example.test
	[[ $stderr == *', verified by fingerprint of the certificate'* ]]
	handshaker 127.0.0.14 "$D/ca/weak" -cipher DEFAULT@SECLEVEL=0
	seen --tls-fingerprint "$(key_fingerprint weak)" \
		--host smtps://127.0.0.14 bob@example.test
	[[ $stderr == *', verified by fingerprint of the key'* ]]
}

@test "a server that wants a certificate of ours" {
	local n=30 max
	cp "$D/ca/client.key" "$BATS_TEST_TMPDIR/key"
	cp "$D/stranger/client.key" "$BATS_TEST_TMPDIR/strange"
	chmod 600 "$BATS_TEST_TMPDIR"/*
	for max in 1.3 1.2; do
		peer 127.0.0.$n mx1 "ca=$CA" max=$max
		to=(--tls encrypt --host "smtps://127.0.0.$n" bob@example.test)
		seen --tls-cert-file "$D/ca/client.crt" \
			--tls-key-file "$BATS_TEST_TMPDIR/key" "${to[@]}"
		assert_equal "$status" 0
		seen "${to[@]}"
		assert_equal "$status" 75
		[[ $stderr == *'the server requires a client certificate'* ]]
		seen --tls-cert-file "$D/stranger/client.crt" \
			--tls-key-file "$BATS_TEST_TMPDIR/strange" "${to[@]}"
		assert_equal "$status" 75
		[[ $stderr == *'the server does not know the issuer of our'* ]]
		n=$((n + 1))
	done
}

@test "an encrypted key is opened by the password that is named" {
	local key=$BATS_TEST_TMPDIR/key
	openssl pkcs8 -topk8 -in "$D/ca/client.key" -passout 'pass:open it' \
		-out "$key"
	chmod 600 "$key"
	peer 127.0.0.36 mx1 "ca=$CA"
	to=(--tls encrypt --host smtps://127.0.0.36
		--tls-cert-file "$D/ca/client.crt" --tls-key-file "$key")
	seen --passwordeval 'echo open it' "${to[@]}" bob@example.test
	assert_equal "$status" 0
	misconfigured "$key: the passphrase does not open it" \
		--passwordeval 'echo close it' "${to[@]}"
}

@test "a key that will not do" {
	local key=$BATS_TEST_TMPDIR/key
	to=(--tls encrypt --host 127.0.0.1 --tls-cert-file "$D/ca/client.crt")
	misconfigured "$D/ca/client.key" --tls-key-file "$D/ca/client.key" \
		"${to[@]}"
	assert_output --partial 'chmod 600'
	install -m 600 "$D/ca/other.key" "$key"
	misconfigured "the key in $key is not that of the certificate in" \
		--tls-key-file "$key" "${to[@]}"
	echo garbage >"$key"
	misconfigured "$key has no private key" --tls-key-file "$key" "${to[@]}"
	misconfigured /nonexistent --tls-key-file /nonexistent "${to[@]}"
}

@test "versions: ours too new, theirs too old, and old by request" {
	local old=(--tls encrypt --host smtps://127.0.0.33 bob@example.test)
	peer 127.0.0.32 mx1 max=1.2
	refused 'the server refuses our TLS versions (see tls_min)' \
		--tls-min 1.3 --tls encrypt --host smtps://127.0.0.32 \
		bob@example.test
	handshaker 127.0.0.33 "$D/ca/mx1" -tls1_1 -cipher DEFAULT@SECLEVEL=0
	refused 'see tls_min' "${old[@]}"
	seen --tls-min 1.1 "${old[@]}"
	[[ $stderr == *'-- TLSv1.1 '* ]]
}

@test "no cipher in common, no such cipher" {
	handshaker 127.0.0.34 "$D/ca/mx1" -tls1_3 \
		-ciphersuites TLS_AES_256_GCM_SHA384
	refused 'no cipher, or nothing else, in common' --tls encrypt \
		--tls-ciphers TLS_CHACHA20_POLY1305_SHA256 \
		--host smtps://127.0.0.34 bob@example.test
	seen --tls-ciphers TLS_CHACHA20_POLY1305_SHA256:HIGH --tls encrypt \
		--host 127.0.0.1 bob@example.test
	assert_equal "$status" 0
	[[ $stderr == *'-- TLSv1.3 TLS_CHACHA20_POLY1305_SHA256 '* ]]
	misconfigured '"NOSUCH"' --tls-ciphers HIGH:NOSUCH --tls encrypt \
		--host 127.0.0.1
}

@test "a log of keys for a sniffer" {
	local log=$BATS_TEST_TMPDIR/keys
	seen --tls-keylog "$log" --tls encrypt --host 127.0.0.1 bob@example.test
	assert_equal "$status" 0
	assert_equal "$(stat -c %a "$log")" 600
	run grep -cE '^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}$' "$log"
	assert_output 5
	seen --tls-keylog "$log" --tls encrypt --host 127.0.0.1 bob@example.test
	run grep -c '^CLIENT_TRAFFIC_SECRET_0 ' "$log"
	assert_output 2
	misconfigured /nonexistent/keys --tls-keylog /nonexistent/keys \
		--tls encrypt --host 127.0.0.1
}

@test "TLS that breaks off anywhere is temporary, and told" {
	local n=40 side
	for side in server client; do
		start_announced "cut.$side" "$SERVERS/cut.py" 127.0.0.$n 465 \
			127.0.0.1 465 $side
		for _ in {1..40}; do
			seen --tls encrypt --host smtps://127.0.0.$n \
				bob@example.test
			[ "$status" -ne 0 ] || break
			assert_equal "$status" 75
			[[ $stderr == *deferred* ]]
			[[ $stderr == *onnection* || $stderr == *'TLS handshake'* ]]
		done
		# The last one was long enough, all before it were cut.
		assert_equal "$status" 0
		run grep -c ^cut "$D/cut.$side.log"
		assert [ "$output" -gt 5 ]
		n=$((n + 1))
	done
}

@test "an end without TLS's own: in doubt before the 250, none behind it" {
	peer 127.0.0.50 mx1 end=silent
	seen --tls encrypt --host smtps://127.0.0.50 bob@example.test
	assert_equal "$status" 75
	[[ $stderr == *'may have been delivered'* ]]
	[[ $stderr == *'closed the connection without ending TLS'* ]]
	peer 127.0.0.51 mx1 end=250
	seen --tls encrypt --host smtps://127.0.0.51 bob@example.test
	assert_equal "$status" 0
}

@test "a server without TLS on a port of TLS" {
	start_announced clear "$TOOLS/sink" -a 127.0.0.52 -p 465
	refused 'does not speak TLS from the start on this port' \
		--host smtps://127.0.0.52 bob@example.test
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
