#!/usr/bin/env bats
# What is read as a message, and what of it is believed.
# shellcheck disable=SC2154 # run sets $stderr

load common

setup() {
	common_setup
	receiver box
	as_it_is
}

# face LINE...: ./sendmail, with more settings; the receiver is its relay.
face() {
	ln -s "$SMTPSEND" sendmail
	printf '%s\n' 'queue_runner off' 'maildomain home.test' 'local off' \
		"$@" 'account default' 'host 127.0.0.1' "port $PORT" \
		>>.smtpsendrc
}

# mail TEXT ARGUMENT...: TEXT, with escapes, goes through sendmail, by a pipe
# and as a file: both arrive alike.
mail() {
	local dir
	rm -f box/*
	printf '%b' "$1" >text
	# shellcheck disable=SC2002 # it is to be a pipe
	run --separate-stderr sh -c 'cat text | ./sendmail "$@"' sh \
		-f a@x.test "${@:2}"
	exits 0
	silent
	run --separate-stderr ./sendmail -f a@x.test "${@:2}" <text
	exits 0
	silent
	stored 2
	dir=$(echo box/*.msg)
	# shellcheck disable=SC2086 # two names
	cmp $dir
}

# is TEXT: what arrived, with escapes and CRLF as LF.
is() {
	printf '%b' "$1" >expected
	cat box/*.msg | tr -d '\r' | head -c "$(wc -c <expected)" | diff expected -
	assert_equal "$(cat box/*.msg | tr -d '\r' | wc -c)" \
		"$((2 * $(wc -c <expected)))"
}

# is_one TEXT: the same of one message.
is_one() {
	printf '%b' "$1" >expected
	stored 1
	tr -d '\r' <"$(echo box/*.msg)" | diff expected -
}

# hops N: N fields Received.
hops() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'Received: from a by b\n\twith SMTP; %d\n' "$i"
	done
}

@test "100 Received are none too many" {
	{ hops 100 && cat message; } >long
	mv long message
	deliver bob@x.test
	exits 0
	stored 1
	assert_equal "$(grep -c '^Received:' box/1.msg)" 100
}

@test "101 are a loop: 5.4.6, 69, and nothing is sent or queued" {
	{ hops 101 && cat message; } >long
	mv long message
	printf '%s\n' 'queue_runner off' 'account default' 'host 127.0.0.1' \
		"port $PORT" >>.smtpsendrc
	local how
	for how in -v --queue --queue=only --dry-run; do
		send -f a@x.test "$how" bob@x.test carol@x.test <message
		exits 69
		says 'bob@x.test: failed at input: a loop: the message has been received 101 times, and 100 is the limit' \
			'carol@x.test: failed at input: a loop'
		assert_equal "$output" ''
	done
	deliver --json bob@x.test
	assert_equal "$(jq -r '.recipients[0].enhanced' <<<"$output")" 5.4.6
	stored 0
	send -bp
	assert_equal "${lines[-1]}" 'Mail queue is empty'
}

# ---- dots ----

@test "a line that is a dot ends the message, and of two dots one goes" {
	face
	mail 'A: b\n\na\n.b\n..c\n...d\n .\n.\nlost\n' bob@x.test
	is 'A: b\n\na\n.b\n.c\n..d\n .\n'
	mail 'A: b\r\n\r\na\r\n..\r\n.\r\nlost\r\n' bob@x.test
	is 'A: b\n\na\n.\n'
	mail 'A: b\n\na\n.' bob@x.test
	is 'A: b\n\na\n'
}

@test "with -i, by any name, a dot is text" {
	face
	local how
	for how in -i -oi -O\ IgnoreDots -bm\ -i; do
		# shellcheck disable=SC2086 # words
		mail 'A: b\n\n.\n..c\nd\n' $how bob@x.test
		is 'A: b\n\n.\n..c\nd\n'
	done
}

@test "strip_dots off leaves two dots, not the end" {
	face 'strip_dots off'
	mail 'A: b\n\n..c\n.\nlost\n' bob@x.test
	is 'A: b\n\n..c\n'
}

@test "a dot at the beginning and in the header" {
	face
	mail '.\nA: b\n' bob@x.test
	is ''
	mail 'A: b\n.\nC: d\n\nlost\n' bob@x.test
	is 'A: b\n'
	mail 'A: b\n..c\n' bob@x.test
	is 'A: b\n\n.c\n'
}

@test "who writes on behind the dot is not killed" {
	face
	{
		printf 'A: b\n\nx\n.\n'
		yes | head -c 1000000
		echo "$?" >writer
	} | ./sendmail -f a@x.test bob@x.test
	assert_equal "$(cat writer)" 0
	is_one 'A: b\n\nx\n'
}

@test "a pipe that stays open behind the dot is not waited for" {
	face
	mkfifo pipe
	exec {OPEN}<>pipe
	printf 'A: b\n\nx\n.\n' >&"$OPEN"
	run --separate-stderr timeout 60 ./sendmail -f a@x.test bob@x.test <pipe
	exits 0
	silent
	is_one 'A: b\n\nx\n'
}

@test "a dot ends what is typed at a terminal" {
	face
	run --separate-stderr timeout 60 python3 - <<-'PYTHON'
		import os, pty, subprocess
		us, them = pty.openpty()
		os.write(us, b"A: b\n\nx\n..y\n.\n")
		subprocess.run(["./sendmail", "-f", "a@x.test", "bob@x.test"],
		    stdin=them, check=True)
	PYTHON
	exits 0
	assert_equal "$stderr" 'smtpsend: reading the message from the terminal; a line with a dot, or Ctrl-D, ends it'
	is_one 'A: b\n\nx\n.y\n'
}

@test "large ones, with dots and without" {
	face
	{ printf 'A: b\n\n' && seq 400000; } >text
	./sendmail -f a@x.test bob@x.test <text
	tr -d '\r' <box/1.msg | cmp - text
	{ printf 'A: b\n\n' && seq -f ..%g 400000 && printf '.\nlost\n'; } >dots
	{ printf 'A: b\n\n' && seq -f .%g 400000; } >text
	./sendmail -f a@x.test bob@x.test <dots
	tr -d '\r' <box/2.msg | cmp - text
}

# ---- names ----

@test "-t takes names of this machine, and programs are none" {
	face
	mail 'To: root, bob@x.test\nCc: "C D" <carol> (c)\nBcc: dora\n\nx\n' -it
	assert_equal "$(recipients)" '<root@home.test> <bob@x.test> <carol@home.test> <dora@home.test>'
	printf '%s\n\nx\n' 'To: |sh, "|sh", /etc/passwd, :include:/etc/passwd' >text
	run --separate-stderr ./sendmail -f a@x.test -it <text
	exits 67
	says '|sh: failed' '"|sh": failed' '/etc/passwd: failed' 'no name of a user'
}

@test "in the header names get the domain of senders" {
	face
	mail 'From: root (Cron Daemon)\nTo: bob,\n "C D" <carol>, T: d, e@x.test;\nReply-To: Fay\nSubject: gus\nX-To: hal\n\nroot\n' \
		-i ian
	is 'From: root@home.test (Cron Daemon)\nTo: bob@home.test,\n "C D" <carol@home.test>, T: d@home.test, e@x.test;\nReply-To: Fay@home.test\nSubject: gus\nX-To: hal\n\nroot\n'
	assert_equal "$(recipients)" '<ian@home.test>'
}

@test "a name that is not ASCII stays text, which any server takes" {
	face
	mail 'From: J\0303\0266rg\nTo: ann\n\nx\n' -i ian
	is 'From: =?utf-8?B?SsO2cmc=?=\nTo: ann@home.test\n\nx\n'
}

@test "-G: nothing is added, and nobody is changed" {
	face
	sed -i 's/^\(set_.*\) off/\1 auto/' .smtpsendrc
	mail 'Return-Path: <r@x.test>\nFrom: root\nCc: bob\n\nx\n' -i -G ian
	is 'Return-Path: <r@x.test>\nFrom: root\nCc: bob\n\nx\n'
	mail 'x\n' -i -G ian
	is '\nx\n'
}

@test "Return-Path is the last host's" {
	face
	mail 'Return-Path: <r@x.test>\nA: b\nreturn-path:\n <s@x.test>\n\nx\n' -i ian
	is 'A: b\n\nx\n'
	deliver bob@x.test
	printf 'Return-Path: <r@x.test>\nA: b\n\nx\n' >message
	rm box/*
	deliver bob@x.test
	is_one 'Return-Path: <r@x.test>\nA: b\n\nx\n'
}

@test "other faces change no names" {
	printf 'From: root\nTo: bob\n\nx\n' >message
	deliver bob@x.test
	exits 0
	is_one 'From: root\nTo: bob\n\nx\n'
}

@test "-h counts where the header has fewer" {
	face
	{ hops 50 && cat message; } >long
	run --separate-stderr ./sendmail -i -h 100 -f a@x.test bob@x.test <long
	exits 0
	run --separate-stderr ./sendmail -i -h 101 -f a@x.test bob@x.test <long
	exits 69
	says 'a loop: the message has been received 101 times'
}
