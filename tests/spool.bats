#!/usr/bin/env bats
# The queue's store, ended or refused at each system call: what was told is
# there, what is there is whole, and what a death leaves is recovered from.
# once: it runs tests/tools alone.
# shellcheck disable=SC2034,SC2317 # strike.bash uses and calls them

load common
load strike
shopt -s extglob nullglob

setup() {
	common_setup
	# In memory, where fsync(2) costs nothing: no power is lost here.
	T=$(mktemp -d /run/spool.XXXXXX)
	cd "$T" || return
	SPOOL=$TOOLS/spool
	STRIKE=("$SPOOL") STRIKE_INPUT=large STRIKE_FROM='"queue'
	{ printf %s "$MESSAGE" && head -c 200000 /dev/zero | tr '\0' 'x'; } >large
	printf %s "$MESSAGE" >message
}

# listed: what is queued once the dead have been swept away; nothing else is
# there.
listed() {
	local -a names
	"$SPOOL" recover queue >list || return
	mapfile -t names <list
	# shellcheck disable=SC2083 # all names but one
	set -- queue/!(broken)
	[ "$*" = "${names[*]/#/queue\/}" ]
}

# whole ID FILE: it is there and can be locked, with that message; $notes
# tells how many notes it has.
whole() {
	"$SPOOL" show queue "$1" >shown || return
	{ read -r notes && cmp - "$2"; } <shown
}

no_queue() {
	rm -rf queue
}

# A queue with one entry, $ID.
queue() {
	rm -rf queue
	cp -a model queue
}

model() {
	ID=$("$SPOOL" put model "$@" <message)
}

# What put told is true; and if it was not killed, the other way round.
put_is_honest() {
	set -- queue/*.tmp
	[ "$status" -eq 137 ] || [ $# -eq 0 ] || return
	listed || return
	case $status in
	0) diff out list && [ -s list ] && whole "$(cat out)" large ;;
	137) [ ! -s list ] || whole "$(cat list)" large ;;
	*) [ -s err ] && [ ! -s out ] && [ ! -s list ] ;;
	esac
}

# Each note that was told of is there, at most one more, and the next can
# follow.
notes_last() {
	local told
	told=$(wc -l <out)
	[ "$status" -eq 0 ] || [ "$status" -eq 137 ] || [ -s err ] || return
	listed && whole "$ID" message || return
	((notes == told || notes == told + 1)) || return
	[ "$status" -ne 0 ] || [ "$notes" -eq 5 ] || return
	"$SPOOL" note queue "$ID" >/dev/null && whole "$ID" message &&
		[ "$notes" -eq 5 ]
}

gone_or_whole() {
	listed || return
	if [ -s list ]; then
		[ "$status" -ne 0 ] && whole "$ID" message
	else
		[ "$status" -eq 0 ] || [ "$status" -eq 137 ] || [ -s err ]
	fi
}

# A refused message's sender is told, by one report, or by two if there was a
# death between it and its note; and only then the message goes.
told() {
	local id
	[ "$status" -eq 0 ] || [ "$status" -eq 137 ] || [ -s err ] || return
	if [ -e "queue/$ID" ]; then
		"$SPOOL" report queue "$ID" >>out || return
	fi
	listed && [ ! -e "queue/$ID" ] && [ -s list ] || return
	(($(wc -l <list) <= 1 + (status != 0))) || return
	while read -r id; do
		[ "$(grep -ac '^Final-Recipient: ' "queue/$id")" -eq 2 ] &&
			grep -aq '^--=_.*--$' "queue/$id" || return
	done <list
}

# Whether it got as far as to set it aside or not, the next one does.
set_aside() {
	[ "$status" -ne 0 ] || return
	status=0
	"$SPOOL" show queue "$ID" 2>/dev/null || status=$?
	[ "$status" -eq 11 ] || [ "$status" -eq 12 ] || return
	[ ! -e "queue/$ID" ] && cmp "queue/broken/$ID" "model/$ID"
}

# order COMMAND...: what is written, synced and told, one behind the other.
order() {
	strace -y -o trace -e trace=pwrite64,fsync,fdatasync,renameat,unlinkat,write \
		"$SPOOL" "$@" <large >out
	sed -n 's/^\([a-z0-9]*\)(.*/\1/p' trace | uniq | paste -sd ' '
}

@test "nothing is told before it is sure to last" {
	assert_equal "$(order put new/queue)" \
		'fsync pwrite64 fsync renameat fsync write'
	# The folders that were made, from the top; the file; its folder.
	run sed -n "s|^fsync([0-9]*<$(pwd -P)\(.*\)>).*|\1|p" trace
	assert_output - <<-END

		/new
		/new/queue
		/new/queue/$(cat out).tmp
		/new/queue
	END
	local id
	id=$(cat out)
	assert_equal "$(order put new/queue)" \
		'pwrite64 fsync renameat fsync write'
	assert_equal "$(order note new/queue "$id")" \
		"$(yes 'pwrite64 fdatasync write' | head -n 5 | paste -sd ' ')"
	assert_equal "$(order remove new/queue "$id")" 'unlinkat fsync'
}

@test "killed while it queues a message" {
	prepare() { no_queue; }
	each_call signal=KILL put_is_honest put queue
	many 40 40
}

@test "an error while it queues a message" {
	prepare() { no_queue; }
	each_call error=ERROR put_is_honest put queue
	many 30 25
}

@test "killed while it notes what became of a message" {
	model
	prepare() { queue; }
	each_call signal=KILL notes_last note queue "$ID"
	many 20 20
}

@test "an error while it notes what became of a message" {
	model
	prepare() { queue; }
	each_call error=ERROR notes_last note queue "$ID"
	many 15 15
}

@test "a note of which the disk takes a part" {
	model
	queue
	for ((size = $(stat -c %s "model/$ID"); size < 1000; size += 31)); do
		queue
		status=0
		prlimit --fsize="$size" sh -c 'trap "" XFSZ; exec "$@"' sh \
			"$SPOOL" note queue "$ID" >out 2>err || status=$?
		notes_last || fail "$size octets: $(cat out err)"
	done
}

@test "killed or refused while it removes a message" {
	local how
	model
	prepare() { queue; }
	for how in signal=KILL error=ERROR; do
		each_call "$how" gone_or_whole remove queue "$ID"
		many 8 6
	done
}

@test "a report is a message that Python reads" {
	local id
	model alice@x.test
	"$SPOOL" refuse model "$ID"
	id=$("$SPOOL" report model "$ID")
	[ ! -e "model/$ID" ]
	"$SPOOL" show model "$id" | tail -n +2 >report
	run python3 "$TESTS/dsn.py" --report alice@x.test relay.test <report
	assert_output - <<-END
		Reporting-MTA: dns; relay.test
		Arrival-Date: Thu, 1 Jan 2026 01:00:00 +0100

		Final-Recipient: rfc822; bob@x.test
		Action: failed
		Status: 5.1.1
		Remote-MTA: dns; mx.x.test
		Diagnostic-Code: smtp; 550 5.1.1 No such user
		Last-Attempt-Date: Thu, 1 Jan 2026 01:01:00 +0100

		Final-Recipient: rfc822; eve@x.test
		Action: failed
		Status: 5.1.1
		Remote-MTA: dns; mx.x.test
		Diagnostic-Code: smtp; 550 5.1.1 No such user
		Last-Attempt-Date: Thu, 1 Jan 2026 01:01:00 +0100

		text/rfc822-headers
	END
}

@test "killed or refused while it reports" {
	local how
	model alice@x.test
	"$SPOOL" refuse model "$ID"
	prepare() { queue; }
	for how in signal=KILL error=ERROR; do
		each_call "$how" told report queue "$ID"
		many 30 25
	done
}

@test "killed or refused while it sets aside what is broken" {
	local how
	model
	truncate -s 200 "model/$ID"
	prepare() { queue; }
	for how in signal=KILL error=ERROR; do
		each_call "$how" set_aside show queue "$ID"
		many 15 15
	done
}

@test "killed or refused while it sweeps" {
	local how
	model
	truncate -s 200 model/1kdvdna0000000{0,1}.tmp
	prepare() { queue; }
	swept() {
		listed && whole "$ID" message
	}
	for how in signal=KILL error=ERROR; do
		each_call "$how" swept recover queue
		many 15 5
	done
}
