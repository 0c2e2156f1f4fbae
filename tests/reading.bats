#!/usr/bin/env bats
# The message: from whatever standard input is, to the octets of the wire.
# shellcheck disable=SC2154 # run sets $stderr

load common

# This is about octets as they are, most of them no whole message.
setup() {
	common_setup
	as_it_is
	receiver box
}

HEAD='Subject: hi\n\n'
MIME='MIME-Version: 1.0\nContent-Type: text/plain; charset=x\nContent-Transfer-Encoding: 8bit\n'

# sends OCTETS [WIRE]: the message arrives as WIRE, or as itself with CRLF,
# from a pipe and from a file, and is as long as is said.
sends() {
	local how
	printf %b "$1" >message
	if [ $# -gt 1 ]; then
		printf %b "$2" >expected
	else
		wire >expected
	fi
	rm -f box/*
	for how in file pipe; do
		if [ $how = file ]; then
			deliver --json bob@x.test
		else
			send --json -f alice@client.test --host \
				"127.0.0.1:$PORT" bob@x.test < <(cat message)
		fi
		exits 0
		assert_equal "$stderr" ''
		cmp expected box/*.msg
		assert_equal "$(json .size)" "$(stat -c %s expected)"
		assert_equal "$(grep -ho 'SIZE=[0-9]*' box/*.env)" \
			"SIZE=$(json .size)"
		rm box/*
	done
}

# wire: ./message with CRLF at every line's end.
wire() {
	sed 's/$/\r/' message
	[ -z "$(tail -c 1 message)" ] || echo
}

# refuses CODE TEXT OCTETS [STAGE]: no server gets it.
refuses() {
	printf %b "$3" >message
	deliver bob@x.test
	exits "$1"
	says "bob@x.test: failed at ${4-input}" "$2"
	stored 0
}

# lines N: a message of so many MiB, with long and dotted lines.
lines() {
	printf 'Subject: big\n\n'
	yes "$(printf '.%.0sx\n%.0s..\nline %0990d\n' 1 1 0)" |
		head -c "$1M"
}

@test "lines that end in LF" {
	sends "${HEAD}one\ntwo\n"
}

@test "lines that end in CRLF" {
	sends "Subject: hi\r\n\r\none\r\ntwo\r\n" \
		"Subject: hi\r\n\r\none\r\ntwo\r\n"
}

@test "LF and CRLF mixed" {
	sends "Subject: hi\r\nX: y\n\r\none\n\r\n\ntwo\r\n" \
		"Subject: hi\r\nX: y\r\n\r\none\r\n\r\n\r\ntwo\r\n"
}

@test "a last line without an end gets one" {
	sends "${HEAD}one" "Subject: hi\r\n\r\none\r\n"
	sends 'Subject: hi' 'Subject: hi\r\n'
	sends "${HEAD}one\r" "Subject: hi\r\n\r\none\r\n"
}

@test "an empty body, with and without the empty line" {
	sends "$HEAD"
	sends 'Subject: hi\n'
	sends "$HEAD\n\n"
}

@test "an empty message" {
	sends '' ''
	sends '\n' '\r\n'
}

@test "no header" {
	sends 'hello, world\nsecond line\n' \
		'\r\nhello, world\r\nsecond line\r\n'
	sends '\nbody\n'
	sends ' indented\n' '\r\n indented\r\n'
}

@test "a header that ends without an empty line" {
	sends 'Subject: hi\nno field at all\nmore\n' \
		'Subject: hi\r\n\r\nno field at all\r\nmore\r\n'
}

@test "the From line of a mailbox is dropped, others stay" {
	sends "From alice Sat Nov 21 10:00:00 2026\n${HEAD}From here\n" \
		'Subject: hi\r\n\r\nFrom here\r\n'
	sends 'From alice\r\nSubject: hi\r\n' 'Subject: hi\r\n'
	sends 'From: alice@x.test\n\n'
}

@test "Bcc is removed: folded, twice, empty, resent, in any case" {
	sends 'Bcc: a@x.test\nSubject: hi\nbcc: b@x.test,\n c@x.test\n\td@x.test\nBCC:\nResent-Bcc: e@x.test\nBcc : f@x.test\nTo: g@x.test\n\nBcc: body\n' \
		'Subject: hi\r\nTo: g@x.test\r\n\r\nBcc: body\r\n'
}

@test "what only looks like Bcc stays" {
	sends 'X-Bcc: a\nBccs: b\nSubject: x\n Bcc: folded\n\n'
}

@test "a header of Bcc alone leaves none" {
	sends 'Bcc: a@x.test\n\nhello\n' '\r\nhello\r\n'
}

@test "a bare CR: a space in the header, a line end in the body" {
	sends "Subject: a\rb\n\none\rtwo\r\r\nthree\r" \
		"Subject: a b\r\n\r\none\r\ntwo\r\n\r\nthree\r\n"
}

@test "dots arrive as they were" {
	sends "$HEAD.\n..\n...\n.x\n . \n.\n"
	sends '.\n' '\r\n.\r\n'
	sends "$HEAD\r.\r\n.\n\n.\r\n" \
		'Subject: hi\r\n\r\n\r\n.\r\n.\r\n\r\n.\r\n'
}

@test "no message hides in another's body" {
	local end
	for end in '\n.\n' '\n.\r\n' '\r.\r' '\r\n.\r' '\r\n.\n' '\r.\n' \
		'\r.\r\n' '\n.\r' '\r\n.\r\n'; do
		printf %b "${HEAD}x${end}MAIL FROM:<eve@x.test>\r\n" >message
		deliver bob@x.test
		exits 0
	done
	stored 9
	assert_equal "$(cat box/*.env | grep -c eve)" 0
}

@test "8-bit octets arrive, and are announced" {
	sends "$MIME${HEAD}gr\0303\0274\0303\0237e \0200\0377\n"
	printf '%b' "${HEAD}\0303\0274\n" >message
	deliver bob@x.test
	assert_equal "$(cat box/*.env | grep -c BODY=8BITMIME)" 1
}

@test "7-bit messages are not called 8-bit" {
	deliver bob@x.test
	exits 0
	assert_equal "$(grep -c BODY= box/1.env)" 0
}

@test "lines of 998 octets arrive" {
	sends "X: $(printf '%0995d' 0)\n\n$(printf '%0998d' 0)\n.$(printf '%0997d' 0)"
}

@test "a line of 999 octets goes as quoted-printable" {
	printf "MIME-Version: 1.0\n$HEAD%0999d\n" 0 >message
	deliver bob@x.test
	exits 0
	assert_equal "$(grep -c '^Content-Transfer-Encoding: quoted-printable' \
		box/1.msg)" 1
	assert_equal "$(sed '1,/^\r$/d' box/1.msg | python3 -m quopri -d |
		tr -d '\r')" "$(printf %0999d 0)"
}

@test "a line of 999 octets that may not change is refused by its number" {
	refuses 65 'message line 5 is longer than 998 octets' \
		"Content-Type: multipart/signed; boundary=b\n\n--b\n\n$(
			printf %0999d 0)\n--b--\n" mail
	refuses 65 References \
		"References: <$(printf '%0999d' 0)@x.test>\n\n" mail
}

@test "a header line of 999 octets is folded" {
	printf 'Subject: %0500d %0500d\n\nx\n' 0 0 >message
	deliver bob@x.test
	exits 0
	assert_equal "$(sed -n '/^Subject/,/^[^ ]/p' box/1.msg | tr -d '\r\n')" \
		"$(printf 'Subject: %0500d %0500d' 0 0)"
}

@test "a NUL is refused by its line" {
	refuses 65 'message line 4 has a NUL octet' "${HEAD}one\ntw\0000o\n"
	refuses 65 'message line 1 has a NUL octet' 'Subj\0000ect: hi\n\n'
	refuses 65 'message line 2 has a NUL octet' 'X: y\nSubject: \0000\n'
	refuses 65 'message line 1 has a NUL octet' '\0000'
}

@test "a file is read from where it stands" {
	printf 'first line\nSubject: rest\n\nhello\n' >message
	{
		read -r _
		send -f a@x.test --host "127.0.0.1:$PORT" bob@x.test
	} <message
	exits 0
	printf 'Subject: rest\r\n\r\nhello\r\n' >expected
	arrived expected
}

@test "a file read stands at its end" {
	{
		"$SMTPSEND" -f a@x.test --host "127.0.0.1:$PORT" bob@x.test
		assert_equal "$(cat)" ''
		echo 'Subject: next' >>message
		assert_equal "$(cat)" 'Subject: next'
	} <message
}

@test "a file that stands behind its end is an empty message" {
	{
		cat >/dev/null
		send -f a@x.test --host "127.0.0.1:$PORT" bob@x.test
	} <message
	exits 0
	: >expected
	arrived expected
}

@test "a file opened for reading and writing is not changed" {
	cp message copy
	"$SMTPSEND" -f a@x.test --host "127.0.0.1:$PORT" bob@x.test 0<>message
	cmp copy message
	stored 1
}

@test "4 MiB through a pipe, kept in \$TMPDIR, which stays empty" {
	mkdir tmp
	lines 4 >message
	run --separate-stderr env "TMPDIR=$T/tmp" "$SMTPSEND" -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test < <(cat message)
	exits 0
	wire >expected
	arrived expected
	assert_equal "$(find tmp -type f)" ''
}

@test "beyond 1 MiB the message is in an unlinked file of \$TMPDIR" {
	mkdir tmp
	mkfifo in
	INPUT=in TMPDIR=$T/tmp begin --host "127.0.0.1:$PORT" bob@x.test
	exec {IN}>in
	lines 2 >&"$IN"
	find "/proc/$PID/fd" -lname "$T/tmp/*deleted*" | grep -q .
	assert_equal "$(find tmp -type f)" ''
	exec {IN}>&-
	end
	exits 0
	stored 1
}

@test "64 MiB arrive octet by octet" {
	lines 64 >message
	deliver bob@x.test
	exits 0
	assert_equal "$(wire | sha256sum)" \
		"$(sha256sum <box/1.msg)"
}

@test "a full disk: 71, and nothing is sent" {
	lines 3 >message
	mkdir tmp
	# shellcheck disable=SC2016 # for another shell
	run --separate-stderr env "TMPDIR=$T/tmp" unshare --mount sh -c '
		mount -t tmpfs -o size=2M tmpfs tmp && exec "$@"' sh \
		"$SMTPSEND" -f a@x.test --host "127.0.0.1:$PORT" bob@x.test \
		< <(cat message)
	exits 71
	says 'bob@x.test: deferred' 'No space left on device'
	stored 0
}

@test "no folder for temporary files: 71, and it is named" {
	lines 2 >message
	run --separate-stderr env "TMPDIR=$T/none" "$SMTPSEND" -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test < <(cat message)
	exits 71
	says "$T/none: No such file"
	run --separate-stderr env "TMPDIR=$T/"$'\e[31m' "$SMTPSEND" -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test < <(cat message)
	exits 71
	says "$T/\\x1B[31m: No such file"
	stored 0
}

@test "stdin closed: 66" {
	closed '<&-' -f a@x.test --host "127.0.0.1:$PORT" bob@x.test
	exits 66
	says 'cannot read the message'
	stored 0
}

@test "stdin is a folder: 66" {
	send -f a@x.test --host "127.0.0.1:$PORT" bob@x.test <.
	exits 66
	says 'cannot read the message: Is a directory'
	stored 0
}

@test "stdin is open for writing only: 66" {
	send -f a@x.test --host "127.0.0.1:$PORT" bob@x.test 0>>message
	exits 66
	says 'cannot read the message: Bad file descriptor'
	assert_equal "$(cat message)" "${MESSAGE%$'\n'}"
	stored 0
}

@test "/dev/null is an empty message" {
	send -f a@x.test --host "127.0.0.1:$PORT" bob@x.test </dev/null
	exits 0
	: >expected
	arrived expected
}

@test "a file that names no size, as in /proc, is read" {
	send -f a@x.test --host "127.0.0.1:$PORT" bob@x.test </proc/version
	exits 0
	{ printf '\r\n' && sed 's/$/\r/' /proc/version; } >expected
	arrived expected
}

@test "a non-blocking pipe is waited for" {
	/usr/bin/python3 - "$SMTPSEND" "$PORT" <<'END'
import os, subprocess, sys
r, w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
p = subprocess.Popen([sys.argv[1], '-f', 'a@x.test', '--host',
    '127.0.0.1:' + sys.argv[2], 'bob@x.test'], stdin=r)
# Only once it sleeps has it found the pipe empty.
while open(f'/proc/{p.pid}/stat').read().rsplit(') ')[1][0] not in 'SZ':
    pass
os.write(w, os.environb[b'MESSAGE'])
os.close(w)
sys.exit(p.wait())
END
	printf %s "$WIRE" >expected
	arrived expected
}

# changes COMMAND...: done to ./message while it is on its way.
changes() {
	kill "$SINK"
	wait "$SINK" || true
	receiver slow -w body
	lines 32 >message
	begin --json --host "127.0.0.1:$PORT" bob@x.test
	event 'waiting body'
	"$@"
	release
	end
	exits 75
	assert_equal "$(json '.recipients[0] | [.outcome, .in_doubt, .kind] | @csv')" \
		'"deferred",false,"input"'
	says 'changed while it was sent'
	event gone
	stored slow 0
}

@test "a file that grows while it is sent ends without a dot: 75" {
	grow() { echo more >>message; }
	changes grow
}

@test "a file that shrinks while it is sent ends without a dot: 75" {
	changes truncate -s 1M message
}

@test "a file that is written to while it is sent ends without a dot: 75" {
	overwrite() { printf X | dd of=message conv=notrunc status=none; }
	changes overwrite
}

@test "a message larger than the server takes is not offered" {
	kill "$SINK"
	wait "$SINK" || true
	receiver small -s 1000
	lines 1 >message
	deliver --json bob@x.test
	exits 69
	assert_equal "$(json '.recipients[0].enhanced')" 5.3.4
	stored small 0
	assert_equal "$(find small -type f)" ''
}
