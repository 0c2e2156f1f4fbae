#!/usr/bin/env bats
# What a message lacks is added, and nothing else is touched.
# shellcheck disable=SC2154 # run sets $stderr

load common

setup() {
	common_setup
	receiver box
	export NAME='Alice Ångström' TZ=UTC
}

ID='<[0-9a-f]{32}@client\.test>'
ISO='[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}'

# got FORMAT: the message that arrived, its line ends as LF; what is new each
# time, and right, is shown as DATE and ID.
got() {
	diff <(printf %b "$1") <(sed -E 's/\r$//' box/"$(stored_last)" |
		sed -E "s/^Message-ID: $ID\$/Message-ID: ID/" |
		sed -E "s/^Date: $ISO \\+0000\$/Date: DATE/")
}

stored_last() {
	find box -name '*.msg' -printf '%f\n' | sort -n | tail -n 1
}

# given OCTETS ARGUMENT...: deliver a message of these octets.
given() {
	printf %b "$1" >message
	deliver "${@:2}" bob@x.test
	exits 0
}

# field NAME: its text in the last message.
field() {
	tr -d '\r' <box/"$(stored_last)" | sed -n "s/^$1: //p"
}

OURS='Date: DATE\nMessage-ID: ID\n'
FROM='From: =?utf-8?Q?Alice_=C3=85ngstr=C3=B6m?= <alice@client.test>\n'
TO='To: undisclosed-recipients:;\n'

@test "text without a header becomes a message" {
	given 'disk full\nreally\n'
	silent
	got "$FROM$TO${OURS}\ndisk full\nreally\n"
}

@test "an empty message has a header" {
	given ''
	got "$FROM$TO$OURS\n"
}

@test "new fields come behind those that are there" {
	given 'Received: by x; then\nSubject: hi\n\nx\n'
	got "Received: by x; then\nSubject: hi\n$FROM$TO$OURS\nx\n"
}

@test "what is there stays, however it is written" {
	local all='from :\tJoe  <joe@x.test>\nDATE:yesterday\nmessage-Id:  <1@x>\nCC: eve@x.test,\n\tfay@x.test\nmime-version: 1.0 (x)\ncontent-type:text/plain;CHARSET="latin1"\ncontent-Transfer-encoding: 8BIT\n\n\0344\n'
	given "$all"
	got "$all"
	assert_equal "$stderr" ''
}

@test "-v says what was added, and nothing when nothing was" {
	given 'Subject: hi\n\nx\n' -v
	says '-- added From: =?utf-8?Q?Alice' \
		'-- added To: undisclosed-recipients:;' '-- added Date: ' \
		'-- added Message-ID: <'
	given "$MESSAGE" -v
	refute [ "$(grep -c -- '-- added\|-- replaced' <<<"$stderr")" -gt 0 ]
}

@test "-v makes what it adds harmless" {
	given 'x\n' -v --full-name $'\e[31mred\nBcc: eve@x.test'
	[[ $stderr != *$'\e'* ]] || fail "$stderr"
	assert_equal "$(field From)" '"[31mred Bcc: eve@x.test" <alice@client.test>'
	assert_equal "$(field Bcc)" ''
}

@test "the full name: -F, from_full_name, NAME, passwd" {
	local rc='defaults\nfrom_full_name Configured\n' gecos
	given 'x\n' -F 'Doe, John'
	assert_equal "$(field From)" '"Doe, John" <alice@client.test>'
	printf %b "$rc" >.smtpsendrc
	given 'x\n'
	assert_equal "$(field From)" 'Configured <alice@client.test>'
	given 'x\n' --full-name Given
	assert_equal "$(field From)" 'Given <alice@client.test>'
	given 'x\n' -F ''
	assert_equal "$(field From)" 'alice@client.test'
	rm .smtpsendrc
	NAME=Environment given 'x\n'
	assert_equal "$(field From)" 'Environment <alice@client.test>'
	gecos=$(getent passwd "$(id -u)" | cut -d : -f 5)
	gecos=${gecos%%,*}
	NAME='' given 'x\n'
	[[ $gecos != "${gecos//[^A-Za-z ]/}" ]] ||
		assert_equal "$(field From)" \
			"${gecos:+$gecos <}alice@client.test${gecos:+>}"
}

@test "a name that is no UTF-8 goes as unknown-8bit" {
	given 'x\n' -F $'J\370rn'
	assert_equal "$(field From)" \
		'=?unknown-8bit?Q?J=F8rn?= <alice@client.test>'
}

@test "the date is of the local zone, named by numbers" {
	local pair
	for pair in UTC:+0000 LOC-5:30:+0530 LOC3:30:-0330 LOC-14:+1400 \
		LOC0:30:-0030 LOC-5:45:+0545; do
		export TZ=${pair%:*}
		given 'x\n'
		[[ $(field Date) == *" ${pair##*:}" ]] ||
			fail "$TZ: $(field Date)"
		# It is now, by a clock that is not ours.
		[ $(($(date +%s) - $(date -d "$(field Date)" +%s))) -le 600 ]
	done
}

@test "a Message-ID has the sender's domain and is never the same" {
	local n=1000
	[[ $SMTPSEND != */asan/* ]] || n=100
	for ((i = 0; i < n; i++)); do
		echo x | "$SMTPSEND" -v --dry-run --host 127.0.0.1 \
			-f alice@Client.TEST bob@x.test 2>>notes
	done >plans
	grep -E '^-- added Message-ID:' notes >ids
	assert_equal "$(grep -cE "^-- added Message-ID: $ID\$" ids)" $n
	assert_equal "$(sort -u ids | wc -l)" $n
}

@test "a sender at an address literal" {
	echo x | "$SMTPSEND" -f 'alice@[203.0.113.1]' --host \
		"127.0.0.1:$PORT" bob@x.test
	[[ $(field Message-ID) == *'@[203.0.113.1]>' ]]
	[[ $(field From) == *'<alice@[203.0.113.1]>' ]]
}

@test "the null sender is no author: the account's sender is" {
	printf 'account default\nhost 127.0.0.1\nport %s\nfrom joe@y.test\n' \
		"$PORT" >.smtpsendrc
	printf 'x\n' >message
	send -f '' bob@x.test <message
	exits 0
	grep -q '^mail <>' box/1.env
	assert_equal "$(field From)" \
		'=?utf-8?Q?Alice_=C3=85ngstr=C3=B6m?= <joe@y.test>'
	[[ $(field Message-ID) == *@y.test\> ]]
}

@test "nobody is there to be the author: 64, and what helps" {
	printf 'defaults\nfrom no address\n' >.smtpsendrc
	echo x >message
	send -f '' --host "127.0.0.1:$PORT" bob@x.test <message
	exits 64
	says 'has no From' 'write From into it'
	stored 0
	send -f '' --host "127.0.0.1:$PORT" --set-from-header off bob@x.test \
		<message
	exits 0
	stored 1
}

@test "a charset for 8-bit text: UTF-8, or unknown" {
	local mime='Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\n'
	given 'gr\0303\0274n\n'
	got "$FROM$TO${OURS}Content-Type: text/plain; charset=utf-8\n${mime}gr\0303\0274n\n"
	given 'gr\0374n\n'
	got "$FROM$TO${OURS}Content-Type: text/plain; charset=unknown-8bit\n${mime}gr\0374n\n"
	given 'Content-type: Text/HTML\n\ngr\0303\0274n\n' -v
	got "Content-type: Text/HTML; charset=utf-8\n$FROM$TO$OURS${mime}gr\0303\0274n\n"
	says 'added charset to Content-Type: utf-8'
}

@test "UTF-8 is told from the whole of a long body" {
	{ echo && yes 'grün' | head -n 200000; } >message
	deliver bob@x.test
	assert_equal "$(field Content-Type)" 'text/plain; charset=utf-8'
	printf '\374' >>message
	deliver bob@x.test
	assert_equal "$(field Content-Type)" 'text/plain; charset=unknown-8bit'
}

@test "To: undisclosed-recipients where Bcc was all there was" {
	printf 'From: a@x.test\nBcc: bob@x.test\n\nx\n' >message
	deliver -t
	exits 0
	assert_equal "$(field To)" 'undisclosed-recipients:;'
	assert_equal "$(recipients)" '<bob@x.test>'
	deliver -t --keep-bcc
	assert_equal "$(field To)" ''
	given 'Resent-To: bob@x.test\n\nx\n'
	assert_equal "$(field To)" ''
}

@test "--undisclosed-recipients hides them all" {
	given 'To: a@x.test\nCc: b@x.test\nBcc: c@x.test\n\nx\n' \
		--undisclosed-recipients
	assert_equal "$(field To)" 'undisclosed-recipients:;'
	assert_equal "$(field Cc)$(field Bcc)" ''
	printf 'defaults\nundisclosed_recipients on\n' >.smtpsendrc
	given 'To: a@x.test\n\nx\n'
	assert_equal "$(field To)" 'undisclosed-recipients:;'
}

@test "on replaces what is there" {
	given 'From: eve@x.test\nDate: x\nMessage-ID: <1@x>\nTo: y@x.test\n\nx\n' \
		-v --set-from-header on --set-date-header on \
		--set-msgid-header on --set-to-header on carol@x.test
	got "${FROM}To: carol@x.test, bob@x.test\n$OURS\nx\n"
	says 'replaced From: ' 'replaced Date: ' 'replaced Message-ID: ' \
		'replaced To: carol@x.test, bob@x.test'
}

@test "on never lists whom Bcc names" {
	printf 'To: bob@x.test\nBcc: eve@x.test\n\nx\n' >message
	deliver -t --set-to-header on carol@x.test
	exits 0
	assert_equal "$(field To)" carol@x.test
	deliver -t --set-to-header on
	assert_equal "$(field To)" bob@x.test
}

@test "on never lists whom --bcc names, nor once more whom --cc names" {
	echo x >message
	deliver --subject x --set-to-header on --bcc eve@x.test \
		--cc carol@x.test --to bob@x.test
	exits 0
	assert_equal "$(recipients)" '<bob@x.test> <carol@x.test> <eve@x.test>'
	assert_equal "$(field To)" bob@x.test
	assert_equal "$(field Cc)" carol@x.test
	deliver --subject x --set-to-header on --bcc eve@x.test
	exits 0
	assert_equal "$(field To)" 'undisclosed-recipients:;'
}

@test "on lists them all, however many they are" {
	local -a many
	mapfile -t many < <(seq -f "%.0f@$(printf 'x%.0s' {1..60}).test" 16000)
	printf 'Subject: x\n\nx\n' >message
	send -f alice@client.test --export wire --set-to-header on "${many[@]}" \
		<message
	exits 0
	assert_equal "$(grep -c '^\(To:\)\? *[0-9]*@x\{60\}\.test,*$' <<<"${output//$'\r'/}")" 16000
}

@test "off leaves it missing; older keywords do, too" {
	as_it_is
	given 'x\n'
	got '\nx\n'
	printf '%s\n' defaults 'add_missing_from_header off' \
		'add_missing_date_header off' >.smtpsendrc
	given 'x\n'
	got "${TO}Message-ID: ID\n\nx\n"
	given 'x\n' --set-from-header auto --set-msgid-header=off
	got "$FROM$TO\nx\n"
}

@test "what is said wrongly" {
	send --set-date-header maybe bob@x.test <message
	usage_error '--set-date-header "maybe": give auto, on or off'
	send --undisclosed-recipients=on bob@x.test <message
	usage_error '--undisclosed-recipients takes no value'
	send -F "$(printf 'x%.0s' {1..1001})" bob@x.test <message
	usage_error 'give at most 1000 octets'
}

@test "the size that is announced is that of the completed message" {
	printf 'x\n' >message
	deliver --json bob@x.test
	assert_equal "$(json .size)" "$(stat -c %s box/1.msg)"
	grep -q "SIZE=$(json .size)" box/1.env
}
