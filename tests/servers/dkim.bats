#!/usr/bin/env bats
# Signatures on their way through real servers, by the word of two verifiers:
# opendkim-testmsg, which asks a real name server, and dkimpy.

load common

setup_file() {
	prepare
	certificates
	mkdir "$D/aio"
	for algorithm in rsa ed25519; do
		"$SMTPSEND" --dkim-keygen client.test --dkim-selector $algorithm \
			--dkim-algorithm $algorithm \
			--dkim-key "$D/$algorithm.pem" >>"$D/records"
	done
	DNS_MORE=$(grep ' IN TXT ' "$D/records") start dns.sh "$D/dns"
	start postfix.sh "$D/postfix" "$D/ca"
	start_announced aio "$SERVERS/aio.py" "$D/aio" 127.0.0.7 25
	export STORE=$D/postfix/mail
}

# passes KIND FORM [SELECTOR]: such a message, signed in that form, goes
# through Postfix and is $T/stored.
passes() {
	local id=$BATS_TEST_NUMBER.$1.$2@client.test select=${3:-rsa,ed25519} keys
	keys=$D/${select/,/.pem,$D/}.pem
	id=${id//\//-}
	message "$1" "$id" >"$BATS_TEST_TMPDIR/in"
	run "$SMTPSEND" -f alice@client.test --host 127.0.0.1 \
		--dkim-domain client.test --dkim-selector "$select" \
		--dkim-key "$keys" --dkim-canonicalization "$2" \
		bob@example.test <"$BATS_TEST_TMPDIR/in"
	assert_success
	"$SERVERS/waitfor" 30 stored "$id"
	cp "$(stored "$id")" "$BATS_TEST_TMPDIR/stored"
}

@test "two signatures arrive, whatever the body is" {
	for kind in plain eightbit dots empty unterminated mixed long; do
		for form in relaxed/relaxed simple/simple; do
			passes $kind $form
			run "$SERVERS/dkimverify.py" "$D/records" \
				<"$BATS_TEST_TMPDIR/stored"
			assert_output "good rsa-sha256 $form client.test rsa
good ed25519-sha256 $form client.test ed25519"
		done
	done
}

@test "opendkim finds the key in DNS, and the signature good" {
	for form in relaxed/relaxed simple/simple relaxed/simple; do
		passes plain $form rsa
		run opendkim-testmsg <"$BATS_TEST_TMPDIR/stored"
		assert_success
		assert_output ''
		sed 's/^hello/hallo/' "$BATS_TEST_TMPDIR/stored" \
			>"$BATS_TEST_TMPDIR/changed"
		run opendkim-testmsg <"$BATS_TEST_TMPDIR/changed"
		assert_failure
	done
}

@test "what a server stores is what was signed, octet for octet" {
	message eightbit 8@client.test >"$BATS_TEST_TMPDIR/in"
	run "$SMTPSEND" -f alice@client.test --host 127.0.0.7 \
		--dkim-domain client.test --dkim-selector rsa \
		--dkim-key "$D/rsa.pem" bob@example.test \
		<"$BATS_TEST_TMPDIR/in"
	assert_success
	run "$SERVERS/dkimverify.py" "$D/records" <"$D/aio/1.msg"
	assert_output 'good rsa-sha256 relaxed/relaxed client.test rsa'
	run jq -r '.options[]' "$D/aio/1.json"
	refute_output --partial 8BITMIME
}
