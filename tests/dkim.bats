#!/usr/bin/env bats
# DKIM on the command line: which message is signed by which key, what
# --dkim-keygen makes, and what a verifier says of it (servers/dkimverify.py).
# shellcheck disable=SC2016,SC2154 # for another shell; run sets $stderr

load common

setup() {
	common_setup
	printf '%s\n' 'From: Joe <joe@x.test>' 'To: b@y.test' 'Bcc: c@y.test' \
		'Subject: hi' 'Date: Tue, 1 Jul 2025 10:00:00 +0000' \
		'Message-ID: <1@x.test>' '' 'hello  world ' .dot '' '' >message
}

# A key for x.test called k.pem, its record in zone.
keygen() {
	"$SMTPSEND" --dkim-keygen x.test --dkim-selector s --dkim-key k.pem \
		>zone
}

# sign ARGUMENT...: the message as it would go out, in the file signed, with
# its dots as they were.
sign() {
	run --separate-stderr "$SMTPSEND" --export wire:out \
		--dkim-domain x.test --dkim-selector s --dkim-key k.pem "$@" \
		<message
	[ "$status" != 0 ] || sed 's/^\.\././' out >signed
}

# verify: what the verifier says of the signatures.
verify() {
	run "$TESTS/servers/dkimverify.py" zone <signed
}

# --- keys ---

@test "--dkim-keygen writes a key for us alone, and prints what is needed" {
	umask 0
	send --dkim-keygen x.test
	assert_success
	assert_equal "$stderr" ''
	year=$(date -u +%Y)
	key=x.test.smtpsend-rsa-$year.pem
	assert_equal "$(stat -c %a "$key")" 600
	assert_line --regexp "^smtpsend-rsa-$year._domainkey.x.test. IN TXT \( \"v=DKIM1; k=rsa; p=[^\"]*\" \"[^\"]*\" \)\$"
	assert_line "dkim_domain x.test"
	assert_line "dkim_selector smtpsend-rsa-$year"
	assert_line "dkim_key $T/$key"
	openssl pkey -in "$key" -noout -text | grep -q '2048 bit'
}

@test "the other algorithm, other names" {
	send --dkim-keygen BüCHER.test. --dkim-algorithm ed25519 \
		--dkim-selector a.b --dkim-key "$T/other"
	assert_success
	assert_line --regexp '^a.b._domainkey.xn--bcher-kva.test. IN TXT \( "v=DKIM1; k=ed25519; p=.{44}" \)$'
	assert_line "dkim_key $T/other"
	openssl pkey -in other -noout -text | grep -q ED25519
}

@test "a file that is there stays, and the exit status is 73" {
	keygen
	cp k.pem before
	send --dkim-keygen x.test --dkim-key k.pem
	assert_equal "$status" 73
	assert_equal "$stderr" 'smtpsend: k.pem is there already and stays as it is; name another file by --dkim-key, or another --dkim-selector'
	cmp before k.pem
}

@test "a key that cannot be written or told of is not there" {
	send --dkim-keygen x.test --dkim-key no/such/folder
	assert_equal "$status" 73
	assert_equal "$stderr" 'smtpsend: no/such/folder: No such file or directory'
	run bash -c '"$SMTPSEND" --dkim-keygen x.test --dkim-key k.pem >/dev/full'
	assert_equal "$status" 73
	[ ! -e k.pem ]
}

@test "what --dkim-keygen does not take" {
	send --dkim-keygen 'x y'
	assert_equal "$status" 64
	send --dkim-keygen x.test --dkim-algorithm dsa
	assert_equal "$status" 64
	assert_equal "$stderr" 'smtpsend: --dkim-algorithm "dsa": give rsa or ed25519'
	send --dkim-algorithm rsa b@y.test
	assert_equal "$status" 64
	assert_equal "$stderr" 'smtpsend: --dkim-algorithm says what --dkim-keygen makes: give both'
	send --dkim-keygen x.test --dkim-selector a,b
	assert_equal "$status" 64
	send --dkim-keygen x.test --dkim-selector "$(printf '%060d.' 1 2 3 4)x"
	assert_equal "$status" 64
	send --dkim-keygen x.test b@y.test
	assert_equal "$status" 64
	assert_equal "$stderr" 'smtpsend: --dkim-keygen sends nothing: take "b@y.test" away'
	[ -z "$(ls ./*.pem 2>/dev/null)" ]
}

# --- signatures ---

@test "both algorithms in each canonical form" {
	keygen
	"$SMTPSEND" --dkim-keygen x.test --dkim-selector t --dkim-key l.pem \
		--dkim-algorithm ed25519 >>zone
	for form in relaxed/relaxed relaxed/simple simple/relaxed \
		simple/simple; do
		sign --dkim-selector s,t --dkim-key k.pem,l.pem \
			--dkim-canonicalization $form
		assert_success
		verify
		assert_output "good rsa-sha256 $form x.test s
good ed25519-sha256 $form x.test t"
	done
}

@test "nothing can be added or changed" {
	keygen
	sign
	cp signed whole
	for change in 's/^hello/hallo/' 's/^Subject: hi/Subject: ho/' \
		's/^Subject: hi/&\r\nCc: d@y.test/' \
		's/^From:.*/&\r\nFrom: e@z.test/' \
		's/^Date/Content-Type: text\/html\r\n&/' '$a more'; do
		sed "$change" whole >signed
		verify
		assert_output 'bad rsa-sha256 relaxed/relaxed x.test s'
	done
	# A relay may do this.
	sed '1i Received: by z.test\r' whole | sed 's/^Subject: /SUBJECT:   /' |
		sed 's/hello  world \r/hello world\r/' >signed
	verify
	assert_output 'good rsa-sha256 relaxed/relaxed x.test s'
}

@test "the signature is on top, and Bcc is gone before it is made" {
	keygen
	sign
	assert_equal "$(head -n 1 signed | cut -c -20)" 'DKIM-Signature: v=1;'
	run grep -ci '^Bcc' signed
	assert_output 0
	now=$(date +%s)
	t=$(grep -oE '\bt=[0-9]+' signed)
	((${t#t=} <= now && ${t#t=} > now - 600))
}

@test "what needs repair is signed repaired, the same for every server" {
	keygen
	{
		printf 'Subject: gr\303\274\303\237e\nFrom: J\303\266 <joe@x.test>\n'
		printf 'Date: Tue, 1 Jul 2025 10:00:00 +0000\n'
		printf 'Message-ID: <1@x.test>\nMIME-Version: 1.0\n'
		printf 'Content-Type: text/plain; charset=utf-8\n\n'
		printf 'caf\303\251 \n%02000d\n.\n\n\n' 0
	} >message
	for caps in none 8BITMIME 8BITMIME,SMTPUTF8 all; do
		sign --caps "$caps"
		assert_success
		verify
		assert_output 'good rsa-sha256 relaxed/relaxed x.test s'
		run grep -c '[^ -~	]' <(tr -d '\r' <signed)
		assert_output 0
		# All but the signature's time and value.
		sed '1,/^[^\t]/{/^[\tD]/d}' signed >"bare.$caps"
		grep -q '^Content-Transfer-Encoding: quoted' "bare.$caps"
		cmp bare.none "bare.$caps"
	done
}

@test "what can only go with SMTPUTF8 is signed so, and goes so or not" {
	keygen
	sed -i 's/^To:.*/To: j\o303\o266@y.test/' message
	sign --caps SMTPUTF8
	assert_success
	verify
	assert_output 'good rsa-sha256 relaxed/relaxed x.test s'
	sign --caps 8BITMIME
	assert_equal "$status" 65
	assert_regex "$stderr" 'the signed message needs SMTPUTF8, which the server lacks'
}

@test "the author's domain decides" {
	keygen
	for from in 'a@x.test' 'a@sub.X.test' 'Team: a@x.test, b@z.test;' \
		'"a b" <a@x.test>, c@z.test'; do
		sed -i "s/^From:.*/From: $from/" message
		sign -v
		assert_equal "$stderr" '-- DKIM: signed by RSA, s._domainkey.x.test'
		verify
		assert_output 'good rsa-sha256 relaxed/relaxed x.test s'
	done
	for from in a@z.test a@notx.test 'c@z.test, a@x.test' test; do
		sed -i "s/^From:.*/From: $from/" message
		sign
		assert_success
		assert_equal "$stderr" ''
		verify
		assert_output ''
		sign -v
		assert_regex "$stderr" '^-- DKIM: not signed, From '
	done
	# The key is not looked for then.
	sign --dkim-key no.pem
	assert_success
}

@test "a domain for each signature, used where it fits" {
	keygen
	sign --dkim-domain x.test,z.test --dkim-selector s,s \
		--dkim-key k.pem,k.pem
	verify
	assert_output 'good rsa-sha256 relaxed/relaxed x.test s'
}

@test "an account signs, and the command line may forbid it" {
	keygen
	mkdir keys
	mv k.pem keys/k.pem
	cat >config <<-CONF
		account a
		host smtp.x.test
		dkim_domain x.test
		dkim_selector s, s
		dkim_key keys/k.pem, ~/keys/k.pem
		dkim_canonicalization simple/simple
		account default : a
	CONF
	chmod 600 config
	"$SMTPSEND" -C config --export wire <message | sed 's/^\.\././' >signed
	verify
	assert_output "good rsa-sha256 simple/simple x.test s
good rsa-sha256 simple/simple x.test s"
	"$SMTPSEND" -C config --export wire --dkim-domain '' <message >signed
	verify
	assert_output ''
}

@test "a key behind a passphrase" {
	keygen
	openssl pkey -in k.pem -aes-256-cbc -passout pass:sesame -out locked
	chmod 600 locked
	sign --dkim-key locked --dkim-passwordeval 'echo sesame'
	assert_equal "$stderr" ''
	verify
	assert_output 'good rsa-sha256 relaxed/relaxed x.test s'
	sign --dkim-key locked --dkim-passwordeval 'echo other'
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: key file locked is encrypted, and the passphrase does not open it'
	sign --dkim-key locked --dkim-passwordeval false
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-passwordeval: passwordeval: exit status 1'
	run --separate-stderr setsid -w "$SMTPSEND" -f alice@client.test \
		--export wire --dkim-domain x.test --dkim-selector s \
		--dkim-key locked bob@x.test <message
	exits 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: key file locked is encrypted, and there is no terminal to ask on: give dkim_passwordeval'
}

# --- what is wrong ---

@test "a key that cannot be used is 78, and nothing goes" {
	keygen
	sign --dkim-key no.pem
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: key file no.pem: No such file or directory'
	chmod 640 k.pem
	sign
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: k.pem holds a secret but others may use it (mode 640): chmod 600 k.pem'
	sign --dkim-key .
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: key file . is a directory'
	mkfifo -m 600 fifo
	sign --dkim-key fifo
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: key file fifo is no regular file'
	echo hello >text
	chmod 600 text
	sign --dkim-key text
	assert_equal "$status" 78
	assert_equal "$stderr" 'smtpsend: --dkim-key: key file text has no private key in PEM form'
	[ ! -e out ]
}

@test "a short key is warned of, a shorter one refused" {
	openssl genrsa 1024 2>/dev/null >k.pem
	chmod 600 k.pem
	sign
	assert_success
	assert_equal "$stderr" 'smtpsend: DKIM key file k.pem: RSA of 1024 bits is weak, make one of 2048'
	openssl genrsa 768 2>/dev/null >k.pem
	sign
	assert_equal "$status" 78
	assert_regex "$stderr" 'RSA key of 768 bits; verifiers ignore fewer than 1024'
}

@test "settings that do not fit together" {
	run "$SMTPSEND" --dkim-selector s --export wire <message
	assert_equal "$status" 64
	assert_output 'smtpsend: --dkim-selector: needs --dkim-domain too'
	run "$SMTPSEND" --dkim-domain x.test --export wire <message
	assert_equal "$status" 64
	assert_output 'smtpsend: --dkim-domain: needs --dkim-selector too'
	run "$SMTPSEND" --dkim-domain x.test --dkim-selector s --export wire \
		<message
	assert_output 'smtpsend: --dkim-domain: needs --dkim-key too'
	sign --dkim-selector s,t
	assert_equal "$status" 64
	assert_equal "$stderr" 'smtpsend: --dkim-selector: give as many selectors as --dkim-key has files'
	sign --dkim-domain x.test,y.test
	assert_equal "$stderr" 'smtpsend: --dkim-domain: give one domain, or as many as --dkim-key has files'
	sign --dkim-selector 'a b'
	assert_equal "$status" 64
	sign --dkim-canonicalization relaxed
	assert_equal "$status" 64
	assert_equal "$stderr" 'smtpsend: --dkim-canonicalization "relaxed": give HEADER/BODY, each relaxed or simple'
	sign --dkim-key 1,2,3,4,5,6,7,8,9
	assert_equal "$stderr" 'smtpsend: --dkim-key: give 1 to 8, with commas between them'
	printf 'account default\nhost x.test\ndkim_domain x.test\n' >config
	chmod 600 config
	run "$SMTPSEND" -C config --export wire <message
	assert_equal "$status" 78
	assert_output --regexp '^smtpsend: .*config:3: dkim_domain: needs dkim_selector too$'
}

@test "who does not sign does not load the library" {
	keygen
	LD_DEBUG=files "$SMTPSEND" --export wire <message >out 2>log
	run grep -c libcrypto log
	assert_output 0
	LD_DEBUG=files "$SMTPSEND" --export wire --dkim-domain x.test \
		--dkim-selector s --dkim-key k.pem <message >out 2>log
	grep -q libcrypto log
}
