#!/usr/bin/env bats
# Each state of files in the table of queue/spool.h is made here, and a run of
# the queue makes of it what the table says.  tests/runner_crash.bats shows that
# there are no others.

load common
load queue

setup() {
	queue_setup
	receiver box
	only_account default "$PORT"
	NOW=$(date +%s)000
}

# made LINE...: an entry of these lines of tests/tools/entries; $ID is its name.
made() {
	ID=$(printf '%s\n' "new $NOW" 'account default' "$@" |
		"$TOOLS/entries" "$Q")
}

# Lines of an entry, up to its notes.
TO_BOB=('from m1@client.test' 'to bob@x.test' 'text From: m1@client.test'
	'text Date: Fri, 21 Nov 1997 09:55:06 -0600'
	'text Message-ID: <1@client.test>' 'text ' 'text hello' put)
FOR_BOB='<1@client.test> bob@x.test'
REFUSED="outcome 0 perm rcpt 550 5.1.1 mx.test 127.0.0.1 25 0 1 no such user"

# is STATE NAME: by the table.
is() {
	"$TOOLS/states" "$Q" >states || fail "unknown: $(cat states)"
	grep -qFx "$1" states || fail "not $1, but $(cat states)"
}

# runs: without a complaint; afterwards these are in the folder.
runs() {
	run "$SMTPSEND" -q
	[ "$status" -eq 0 ] || fail "status $status: $output"
	assert_equal "$(cd "$Q" && find . -type f ! -name stamp | sort)" \
		"$(printf '%s\n' "$@")"
}

# gets LINE...: what has been delivered in all.
gets() {
	assert_equal "$(served box | sed 's/<dsn[^>]*>/report/' | sort)" \
		"$(printf '%s\n' "$@")"
}

# ends_with_test PID
ends_with_test() {
	STARTED+=("$1")
}

# until_state STATE: wait for a process that was told to stop there.
until_state() {
	local i
	for ((i = 0; i < 5000; i++)); do
		! "$TOOLS/states" "$Q" 2>/dev/null | grep -q "^$1 " || return 0
	done
	fail "never $1: $("$TOOLS/states" "$Q")"
}

@test "no folder" {
	is absent
	run "$SMTPSEND" -q
	assert_equal "$status$output" 0
	is absent
	put 1 bob@x.test
	runs
	gets "$FOR_BOB"
}

@test "a folder whose maker died" {
	mkdir -m 700 "$Q"
	is unfinished
	runs
	put 1 bob@x.test
	"$TOOLS/states" "$Q" | grep '^queued'
	rmdir "$Q/broken"
	is unfinished
	runs
	gets "$FOR_BOB"
}

@test "a message is being queued" {
	local writer pid
	mkdir -m 700 "$Q" "$Q/broken"
	message 1 >one
	strace -qqq -o /dev/null -e inject=fsync:signal=STOP:when=1 \
		"$SMTPSEND" --queue=only -f m1@client.test bob@x.test \
		<one &
	writer=$!
	ends_with_test "$writer"
	until_state draft+locked
	run "$SMTPSEND" -q
	assert_equal "$status$output" 0
	until_state draft+locked
	until pid=$(children "$writer" | sed -n 's/ [Tt]$//p') && [ -n "$pid" ]; do
		:
	done
	kill -CONT "$pid"
	wait "$writer"
	runs
	gets "$FOR_BOB"
}

@test "who queued it died" {
	mkdir -m 700 "$Q" "$Q/broken"
	run strace -qqq -o /dev/null -e inject=renameat:signal=KILL \
		"$SMTPSEND" --queue=only -f m1@client.test bob@x.test \
		< <(message 1)
	assert_equal "$status" 137
	until_state draft
	runs
	gets
}

@test "queued" {
	made "${TO_BOB[@]}"
	is "queued $ID"
	runs
	is empty
	gets "$FOR_BOB"
}

@test "it is being tried: another run leaves it alone" {
	local runner
	receiver held -w MAIL
	only_account default "$PORT"
	made "${TO_BOB[@]}"
	"$SMTPSEND" -q &
	runner=$!
	ends_with_test "$runner"
	event waiting
	is "queued+locked $ID"
	runs "./$ID"
	release
	wait "$runner"
	assert_equal "$(served held)" "$FOR_BOB"
	is empty
}

@test "its last octets went out, and nobody knows more" {
	made "${TO_BOB[@]}" 'final 0'
	is "queued+doubtful $ID"
	runs
	gets "$FOR_BOB"
}

@test "a note is torn" {
	local octets
	for octets in -1 -25 +1 +500; do
		rm -rf box/*
		made "${TO_BOB[@]}" 'final 0'
		truncate -s "$octets" "$Q/$ID"
		until_state 'queued+torn\(+doubtful\)\?'
		runs
		gets "$FOR_BOB"
	done
}

@test "all have it: it goes, and nobody gets it again" {
	made "${TO_BOB[@]}" 'outcome 0 ok end 250 2.0.0 mx 127.0.0.1 25 0 1 ok'
	is "done $ID"
	runs
	gets
}

@test "all are refused: the sender is told, then it goes" {
	made "${TO_BOB[@]}" "$REFUSED"
	is "done $ID"
	runs
	gets 'report m1@client.test'
}

@test "all are refused, and nobody can be told: it is kept" {
	made "${TO_BOB[@]:1}" "$REFUSED"
	is "done $ID"
	runs "./$ID"
	is "done+held $ID"
	gets
}

@test "a report is there and not noted: the sender is told twice" {
	made "${TO_BOB[@]}" "$REFUSED" "new $NOW" 'account default' \
		'to m1@client.test' 'text Message-ID: <dsn.1@x.test>' put
	is "done+untold ${ID%%$'\n'*}"
	runs
	gets 'report m1@client.test' 'report m1@client.test'
}

# aside MESSAGE: the entry that was made is set aside, and the others go out.
aside() {
	put 2 eve@x.test
	run "$SMTPSEND" -q
	assert_success
	assert_output -p "$ID"
	assert_output -p "$1"
	is "aside $ID"
	is "aside-why $ID.why"
	gets '<2@client.test> eve@x.test'
}

@test "malformed" {
	made "${TO_BOB[@]}"
	printf x | dd of="$Q/$ID" bs=1 seek=60 conv=notrunc status=none
	is "malformed $ID"
	aside 'malformed'
}

@test "another name has the same file" {
	made "${TO_BOB[@]}"
	ln "$Q/$ID" "$Q/other"
	run "$TOOLS/states" "$Q"
	assert_output -p "malformed $ID"
	rm "$Q/other"
	ln "$Q/$ID" "$XDG_STATE_HOME/other"
	aside 'has another name'
}

@test "no file" {
	made "${TO_BOB[@]}"
	mv "$Q/$ID" "$XDG_STATE_HOME/file"
	ln -s ../file "$Q/$ID"
	is "malformed $ID"
	aside 'symbolic link'
	[ -e "$XDG_STATE_HOME/file" ]
}

@test "what was set aside stays, with its reason or without" {
	made "${TO_BOB[@]}"
	mv "$Q/$ID" "$Q/broken/"
	is "aside $ID"
	runs "./broken/$ID"
	printf 'queue ent' >"$Q/broken/$ID.why"
	is "aside-why $ID.why"
	runs "./broken/$ID" "./broken/$ID.why"
	gets
}

@test "who wrote it anew died: the old one goes on" {
	made "${TO_BOB[@]}"
	head -c 100 "$Q/$ID" >"$Q/$ID.tmp"
	is "queued $ID"
	is "draft $ID.tmp"
	runs
	gets "$FOR_BOB"
}
