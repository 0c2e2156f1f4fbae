#!/usr/bin/env bats
# Who hears that a message could not be sent: -oe of sendmail, and what is left
# in ~/dead.letter.
# shellcheck disable=SC2154 # run sets $stderr

load common
load queue

setup() {
	queue_setup
	ln -s "$SMTPSEND" sendmail
	receiver box -n 1
	config
}

teardown() {
	end_started
	mountpoint -q full && umount full
	rm -rf "$XDG_STATE_HOME"
}

# config LINE...: more of the account that leads to the receiver.
config() {
	printf '%s\n' defaults 'queue_runner off' 'maildomain home.test' \
		'account default' 'host 127.0.0.1' "port $PORT" "$@" >.smtpsendrc
}

# mail ARGUMENT...: ./message goes through sendmail.
mail() {
	run --separate-stderr ./sendmail -oi "$@" <"${INPUT:-message}"
}

# refused ADDRESS: one line says so.
refused() {
	[ "$(wc -l <<<"$stderr")" = 1 ] || fail "more than a line: $stderr"
	says "$1: failed"
}

# nothing_left: in no queue, and nowhere else.
nothing_left() {
	assert_equal "$(entries)" ''
	[ ! -e dead.letter ]
}

# report [N]: message N is one, of permfail@x.test, to the sender, once the
# queue has been run.
report() {
	local n=${1:-1}
	"$SMTPSEND" -q
	assert_equal "$(entries)" ''
	[[ $(<"box/$n.env") == *'mail <>'*'rcpt <alice@client.test>'* ]]
	grep -qF 'Final-Recipient: rfc822; permfail@x.test' "box/$n.msg"
	grep -qF 'Status: 5.1.1' "box/$n.msg"
	grep -qF 'Message-ID: <1@client.test>' "box/$n.msg"
}

# letter [FILE]: dead.letter is private, and an mbox with the message.
letter() {
	local file=${1:-dead.letter}
	assert_equal "$(stat -c %a "$file")" 600
	[[ $(head -n 1 "$file") == 'From '* ]]
	tail -n +2 "$file" | head -c "$(wc -c <"${INPUT:-message}")" |
		cmp - "${INPUT:-message}"
}

@test "-oep, -oeq and -oew tell who calls, and nobody else" {
	local how
	for how in '' -oep -oeq -oew -ew '-e p'; do
		# shellcheck disable=SC2086 # one is two words
		mail -f alice@client.test $how permfail@x.test
		exits 67
		refused permfail@x.test
		nothing_left
	done
}

@test "-oem tells who calls and sends a report" {
	mail -f alice@client.test -oem permfail@x.test
	exits 67
	refused permfail@x.test
	[ ! -e dead.letter ]
	report
}

@test "-oee sends a report, and that is all" {
	local how
	for how in -oee -ee -OErrorMode=e; do
		mail -f alice@client.test "$how" permfail@x.test
		exits 0
		silent
		[ ! -e dead.letter ]
	done
	"$SMTPSEND" -q
	stored 3
	report 1
}

@test "those who can have it get it, and are in no report" {
	mail -f alice@client.test -oem bob@x.test permfail@x.test
	exits 67
	refused permfail@x.test
	assert_equal "$(recipients box/1)" '<bob@x.test>'
	report 2
	run ! grep -q '^Final-Recipient: .*bob@x.test' box/2.msg
}

@test "who is tried again is not in the way of a report, nor tried with it" {
	mail -f alice@client.test -oee tempfail@x.test permfail@x.test
	exits 0
	silent
	assert_equal "$(entries | wc -l)" 1
	"$SMTPSEND" -q
	assert_equal "$(entries | wc -l)" 1
	grep -qF 'Final-Recipient: rfc822; permfail@x.test' box/1.msg
	run ! grep -qF 'Final-Recipient: rfc822; tempfail@x.test' box/1.msg
	stored 1
}

@test "the report goes out without another call" {
	config 'queue_runner on'
	mail -f alice@client.test -oee permfail@x.test
	exits 0
	silent
	event 'stored 1'
	assert_equal "$(recipients)" '<alice@client.test>'
}

@test "-R and -N are heeded" {
	echo 'Return the BODY' >>message
	mail -f alice@client.test -oee -R hdrs permfail@x.test
	exits 0
	report 1
	run ! grep -q 'the BODY' box/1.msg
	mail -f alice@client.test -oee -R full -V me permfail@x.test
	exits 0
	report 2
	grep -q 'the BODY' box/2.msg
	grep -qF 'Original-Envelope-Id: me' box/2.msg
	for notify in never success delay; do
		mail -f alice@client.test -oee -N $notify permfail@x.test
		exits 67
		refused permfail@x.test
		"$SMTPSEND" -q
		nothing_left
	done
	stored 2
}

@test "the null sender gets no report: the message is left" {
	local how
	for how in -oem -oee; do
		mail -f '<>' $how permfail@x.test bob@x.test
		exits 67
		says 'permfail@x.test: failed' \
			"the message was added to $HOME/dead.letter"
		letter
		assert_equal "$(entries)" ''
		rm dead.letter
	done
	stored 2
}

@test "without a queue the message is left" {
	config 'queue off'
	mail -f alice@client.test -oee permfail@x.test
	exits 67
	says 'permfail@x.test: failed' "added to $HOME/dead.letter"
	letter
}

@test "a queue that cannot take it leaves the message" {
	mkdir -p "$Q"
	chmod 0 "$Q"
	rm -rf "$Q"
	: >"$Q"
	mail -f alice@client.test -oee permfail@x.test
	exits 67
	says 'permfail@x.test: failed' "added to $HOME/dead.letter"
	letter
	rm "$Q"
}

@test "what is no address can be in no report" {
	mail -f alice@client.test -oem 'bob@@x.test'
	exits 67
	says 'bob@@x.test: failed' "added to $HOME/dead.letter"
	letter
	assert_equal "$(entries)" ''
}

@test "a user whom nobody knows is reported" {
	sed -i /maildomain/d .smtpsendrc
	mail -f alice@client.test -oem nobody-of-that-name
	exits 67
	refused nobody-of-that-name
	"$SMTPSEND" -q
	stored 1
	grep -q '^Final-Recipient: .*nobody-of-that-name' box/1.msg
}

@test "a message that goes in circles is reported" {
	mail -f alice@client.test -oem -h 101 bob@x.test
	exits 69
	"$SMTPSEND" -q
	stored 1
	grep -q '^Status: 5.4.6' box/1.msg
}

@test "a message without a recipient is left" {
	printf 'Subject: to nobody\n\nhello\n' >nobody
	INPUT=nobody mail -oem -t
	exits 64
	says 'no recipient' "added to $HOME/dead.letter"
	INPUT=nobody letter
	rm dead.letter
	mail -oem
	exits 64
	says 'no recipient' "added to $HOME/dead.letter"
	letter
	rm dead.letter
	mail
	exits 64
	says 'no recipient'
	nothing_left
}

@test "so is one that no configuration leads on" {
	echo 'nonsense' >>.smtpsendrc
	mail -f alice@client.test -oem bob@x.test
	exits 78
	says nonsense "added to $HOME/dead.letter"
	letter
}

@test "so is one whose header has no end" {
	{
		printf 'Subject: '
		head -c 17000000 /dev/zero | tr '\0' x
	} >huge
	INPUT=huge mail -f alice@client.test -oem bob@x.test
	exits 65
	says "added to $HOME/dead.letter"
	assert_equal "$(stat -c %s dead.letter)" "$(($(head -n 1 dead.letter |
		wc -c) + 17000000 + 9 + 2))"
}

@test "letters stand one behind the other, also those with dots and From" {
	printf 'Subject: x\n\nFrom here\n..two\n.\nend\n' >odd
	INPUT=odd mail -f '<>' -oem permfail@x.test
	mail -f '<>' -oem permfail@x.test
	exits 67
	assert_equal "$(grep -c '^From ' dead.letter)" 2
	grep -qx '>From here' dead.letter
	grep -qx '\.\.two' dead.letter
	grep -qx 'hello' dead.letter
}

@test "a home that is another's has no letter of ours" {
	mkdir hers
	chown nobody hers
	sed -i "s|^root:.*|root:x:0:0::$T/his:/bin/sh|" /etc/passwd
	cp .smtpsendrc hers
	chmod 644 hers/.smtpsendrc
	HOME=$T/hers mail -C x -f '<>' -oem permfail@x.test 'bob@@x.test'
	says 'the message is not kept: this user has no home of his own'
	mkdir his
	HOME=$T/hers mail -f '<>' -oem permfail@x.test 'bob@@x.test'
	says "added to $T/his/dead.letter"
	letter his/dead.letter
	assert_equal "$(ls -A hers)" .smtpsendrc
}

@test "a link is not followed" {
	echo precious >other
	ln -s other dead.letter
	mail -f '<>' -oem permfail@x.test
	exits 67
	says 'permfail@x.test: failed' 'the message is not kept: '
	assert_equal "$(<other)" precious
}

@test "a full disk leaves the letters as they were" {
	mkdir full
	mount -t tmpfs -o size=16k tmpfs full
	cp .smtpsendrc full
	yes 0123456789 | head -n 5000 >>message
	printf 'old\n' >full/dead.letter
	chmod 600 full/dead.letter
	HOME=$T/full mail -f '<>' -oem permfail@x.test
	exits 67
	says 'permfail@x.test: failed' 'the message is not kept: '
	assert_equal "$(<full/dead.letter)" old
}

@test "who caught no answer is told, and nothing is left" {
	config 'queue off'
	mail -f alice@client.test -oem tempfail@x.test
	exits 75
	nothing_left
}
