#!/usr/bin/env bats
# Every kind of message arrives byte for byte, at every server we have.

load common

setup_file() {
	prepare
	certificates
	start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1
	start exim.sh "$D/exim" "$D/ca" 127.0.0.2
	start opensmtpd.sh "$D/opensmtpd" "$D/ca" 127.0.0.3
	start dovecot.sh "$D/dovecot" "$D/ca"
	mkdir "$D/aio"
	start_announced aio "$SERVERS/aio.py" "$D/aio" 127.0.0.4 25
}

# to NAME HOST KIND: send it there.
to() {
	echo "to $1:"
	export STORE=$D/$1
	arrives "$3" -f alice@client.test --host "$2" bob@example.test
}

everywhere() {
	to postfix 127.0.0.1 "$1"
	to exim 127.0.0.2 "$1"
	to opensmtpd 127.0.0.3 "$1"
	to dovecot "unix:$D/dovecot/lmtp.sock" "$1"
	WIRE=yes to aio 127.0.0.4 "$1" # stores CRLF as it came
}

@test "a plain message" {
	everywhere plain
}

@test "8-bit octets, valid UTF-8 or not" {
	everywhere eightbit
}

@test "lines of dots" {
	everywhere dots
}

@test "an empty body" {
	everywhere empty
}

@test "a last line without an end" {
	everywhere unterminated
}

@test "lines that end in CRLF" {
	everywhere crlf
}

@test "LF and CRLF mixed" {
	everywhere mixed
}

@test "lines of 998 octets" {
	everywhere long
}

@test "600 kB of lines with dots" {
	everywhere big
}

@test "without the From_ line of a mailbox" {
	everywhere from_line
}
