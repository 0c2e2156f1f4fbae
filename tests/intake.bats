#!/usr/bin/env bats
# The system's queue: users add to a folder that they cannot list, its owner
# takes from it; whatever they leave there harms nobody but themselves.
# once: it runs tests/tools alone.
# shellcheck disable=SC2086 # ids and numbers of users are one word
# shellcheck disable=SC2030,SC2031,SC2317 # prepare and its like are called

load common
load strike
shopt -s extglob nullglob

SYSTEM=/var/spool/smtpsend
IN=$SYSTEM/in QUEUE=$SYSTEM/queue
RUNNER=1500 ALICE=2000 BOB=2001

# A file system of its own, where other users can run the tools.
setup() {
	common_setup
	mount -t tmpfs -o mode=755 tmpfs /var/spool
	mkdir /var/spool/bin
	cp "$TOOLS"/{spool,intake} /var/spool/bin
	chmod 755 /var/spool/bin/*
	PATH=/var/spool/bin:$PATH
	system $RUNNER
	STRIKE=(setpriv --reuid="$RUNNER" --regid="$RUNNER" --clear-groups
		/var/spool/bin/intake)
	export STRIKE_INPUT=/dev/null STRIKE_FROM="\"$SYSTEM" \
		STRIKE_ONLY=$CHANGES_DISK
}

teardown() {
	end_started
	umount -l /var/spool
}

# system UID: an empty queue of that user's.
system() {
	rm -rf "$SYSTEM"
	mkdir -p "$IN"
	chown "$1:$1" "$SYSTEM" "$IN"
	chmod 3733 "$IN"
	install -d -m 700 -o "$1" -g "$1" "$QUEUE"
}

# as UID COMMAND...
as() {
	setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"
}

# add UID: a message of that user's; its id in $ID.
add() {
	ID=$(as "$1" spool add $IN <message)
}

take() {
	run as $RUNNER intake $IN $QUEUE "$@"
}

# only NAME...: all that is left of the queue.
only() {
	assert_equal "$(find $SYSTEM -mindepth 1 ! -path $IN ! -path $QUEUE \
		! -path $QUEUE/broken -printf '%P\n' | sort)" \
		"$(printf '%s\n' "$@" | sort)"
}

whole() {
	as $RUNNER spool show $QUEUE "$1" >shown || return
	cmp <(tail -n +2 shown) message
}

# forged UID NAME: a file with that name, which holds what standard input does.
forged() {
	as "$1" sh -c "umask 027; cat >$IN/$2"
}

# Bob's mail is taken in, whatever Alice has done; $id of hers is not left.
bob_is_served() {
	id=${id:-$ID}
	add $BOB
	take
	assert_success
	assert_line 'done'
	whole "$ID"
	[ ! -e "$IN/${id:-none}" ]
	as $RUNNER spool remove $QUEUE "$ID"
}

# set_aside ID WORDS: it is, for that reason, and nothing else is there.
set_aside() {
	assert_line --partial "$2"
	assert_line --partial "it is of user $ALICE"
	only "queue/broken/$1" "queue/broken/$1.why"
	grep -q "$2" "$QUEUE/broken/$1.why"
}

@test "users add, cannot list, and see nothing of others" {
	add $ALICE
	run as $BOB ls $IN
	assert_failure
	run as $BOB cat "$IN/$ID"
	assert_failure
	run as $BOB rm -f "$IN/$ID"
	assert_failure
	run as $BOB mv "$IN/$ID" "$IN/x"
	assert_failure
	assert_equal "$(stat -c '%u %g %a' "$IN/$ID")" "$ALICE $RUNNER 640"
	take
	assert_output 'done'
	only "queue/$ID"
	whole "$ID"
	assert_equal "$(stat -c '%u %g %a' "$QUEUE/$ID")" "$RUNNER $RUNNER 600"
	run as $ALICE spool recover $QUEUE
	assert_failure 71
}

@test "root adds, and the queue's owner himself, and the queue may be root's" {
	local owner uid
	for owner in $RUNNER 0; do
		system "$owner"
		for uid in 0 $RUNNER $ALICE; do
			add "$uid"
			run as "$owner" intake $IN $QUEUE
			assert_output 'done'
			only "queue/$ID"
			run as "$owner" spool remove $QUEUE "$ID"
			assert_success
		done
	done
}

@test "a folder of another owner or mode is not used" {
	chmod 3777 $IN
	run as $ALICE spool add $IN <message
	assert_failure 71
	assert_output "the queue's folder $IN has mode 3777: do chmod 3733 to it"
	take
	assert_failure 71
	chmod 3733 $IN
	run as $ALICE intake $IN $QUEUE
	assert_failure 71
	run setpriv --reuid=$RUNNER --regid=$ALICE --clear-groups \
		intake $IN $QUEUE
	assert_failure 71
	assert_output --partial 'is not in its group'
	run setpriv --reuid=$RUNNER --regid=$ALICE --groups $RUNNER \
		intake $IN $QUEUE
	assert_output 'done'
}

@test "what is told is synced first, and what is taken is there once" {
	local -a calls
	strace -o trace -e trace=fsync,syncfs,renameat,write \
		setpriv --reuid=$ALICE --regid=$ALICE --clear-groups \
		spool add $IN <message
	mapfile -t calls < <(sed -n 's/(.*//p' trace)
	assert_equal "${calls[*]}" 'fsync renameat syncfs write'
	strace -o trace -e trace=fsync,renameat,renameat2,unlinkat,write \
		"${STRIKE[@]}" $IN $QUEUE
	mapfile -t calls < <(sed -n '/"[^"]*\.in"/,$s/(.*//p' trace)
	assert_equal "${calls[*]}" \
		'renameat2 fsync fsync fsync renameat fsync renameat2 fsync write'
}

@test "a file system that only renames onto what is there" {
	add $ALICE
	strace -qqq -o /dev/null -e inject=renameat2:error=EINVAL \
		"${STRIKE[@]}" $IN $QUEUE
	only "queue/$ID"
	whole "$ID"
}

# holds KIND FILE PYTHON: Alice has a lock of that kind on it, until what was
# started ends.
holds() {
	local -i deadline=SECONDS+20
	setpriv --reuid=$ALICE --regid=$ALICE --clear-groups \
		/usr/bin/python3 -c "import fcntl, signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
f = open('$2', 'r+')
$3
signal.pause()" 3>&- &
	STARTED+=($!)
	until grep -q "$1.* ${STARTED[-1]} " /proc/locks; do
		((SECONDS < deadline)) || fail "no $1"
	done
}

# ---- hostile ----

@test "links, FIFOs, sockets and devices" {
	local id=1kdvdna00000000
	as $ALICE ln -s /etc/passwd $IN/$id
	bob_is_served
	set_aside $id 'is a symbolic link'
	rm -f $QUEUE/broken/*
	as $ALICE mkfifo $IN/$id
	bob_is_served
	set_aside $id 'is no regular file'
	rm -f $QUEUE/broken/*
	as $ALICE /usr/bin/python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind("'$IN/$id'")'
	bob_is_served
	set_aside $id 'is no regular file'
	rm -f $QUEUE/broken/*
	mknod $IN/$id c 1 5
	chown $ALICE $IN/$id
	bob_is_served
	set_aside $id 'is no regular file'
}

@test "hard links" {
	local id=1kdvdna00000000
	mkdir -m 1777 /var/spool/tmp
	add $ALICE
	as $ALICE ln "$IN/$ID" /var/spool/tmp/kept
	bob_is_served
	assert_line --partial 'has another name'
	rm -f $QUEUE/broken/* /var/spool/tmp/kept
	# What is the runner's own.
	install -m 644 -o $RUNNER -g $RUNNER message $SYSTEM/stamp
	ln $SYSTEM/stamp $IN/$id
	bob_is_served
	assert_line --partial 'has another name'
	cmp $SYSTEM/stamp message
}

@test "an entry that another one made" {
	local id
	add $BOB
	id=$ID
	cp "$IN/$id" entry
	rm "$IN/$id"
	forged $ALICE "$id" <entry
	bob_is_served
	set_aside "$id" 'names another user than it belongs to'
}

@test "an entry under another id, and one under an id that is taken" {
	local id=1kdvdna00000000
	add $ALICE
	as $ALICE mv "$IN/$ID" $IN/$id
	bob_is_served
	set_aside $id 'malformed'
	rm -f $QUEUE/broken/*
	# Bob's, of which she cannot know.
	add $BOB
	take
	id=$ID
	forged $ALICE "$id" <message
	take
	assert_line --partial 'malformed'
	whole "$id"
	cp $QUEUE/"$id" entry
	forged $ALICE "$id" <entry
	take
	whole "$id"
	# One that is claimed, and left so.
	rm -f $QUEUE/broken/*
	mv $QUEUE/"$id" "$QUEUE/$id.in"
	forged $ALICE "$id" <message
	take
	whole "$id"
	assert_equal "$(find $IN -type f)" ''
}

@test "an entry that another id's is renamed onto, as the names collide" {
	local id
	add $ALICE
	id=$ID
	cp -p "$IN/$id" kept
	take
	whole "$id"
	cp -p kept "$IN/$id"
	take
	assert_line --partial 'has the id of another one'
	whole "$id"
	[ -e "$QUEUE/broken/$id" ]
}

@test "entries that are huge, empty, torn, changed or cut off" {
	local id size n
	add $ALICE
	id=$ID
	mv "$IN/$id" good
	size=$(stat -c %s good)
	for ((n = 0; n < size; n += 41)); do
		head -c $n good | forged $ALICE "$id"
		bob_is_served
		set_aside "$id" "queue entry $id"
	done
	{ cat good && printf x; } | forged $ALICE "$id"
	bob_is_served
	set_aside "$id" 'torn at its end'
	tr s S <good | forged $ALICE "$id"
	bob_is_served
	set_aside "$id" malformed
	# Nothing is copied of it.
	forged $ALICE "$id" <good
	truncate -s 2T "$IN/$id"
	bob_is_served
	set_aside "$id" 'larger than 1 GiB'
}

@test "an entry that its group cannot read" {
	add $ALICE
	as $ALICE chmod 600 "$IN/$ID"
	bob_is_served
	assert_line --partial "cannot be read by the queue's group"
	rm -f $QUEUE/broken/*
	add $ALICE
	as $ALICE chgrp $ALICE "$IN/$ID"
	bob_is_served
	assert_line --partial "cannot be read by the queue's group"
}

# noted OPERATION: Alice puts an entry of her own there, as $id, with notes.
noted() {
	mkdir -m 700 /var/spool/alice
	chown $ALICE /var/spool/alice
	id=$(as $ALICE spool put /var/spool/alice/queue a@x.test <message)
	as $ALICE spool "$1" /var/spool/alice/queue "$id"
	forged $ALICE "$id" <"/var/spool/alice/queue/$id"
}

@test "an entry with notes of a runner" {
	noted note
	bob_is_served
	set_aside "$id" 'notes of a runner'
}

@test "an entry of which somebody failed before it was queued" {
	noted refuse
	take
	assert_success
	assert_output 'done'
	only "queue/$id"
}

@test "an entry from the future waits until it is none" {
	add $ALICE
	take 1700000000
	assert_success
	assert_line --partial 'is the clock wrong?'
	only "queue/$ID.in"
	take 1767225600
	assert_output 'done'
	whole "$ID"
}

@test "folders in the place of entries" {
	local id=1kdvdna00000000
	as $ALICE mkdir $IN/$id
	bob_is_served
	only
	as $ALICE mkdir -p $IN/$id/x $IN/$id.tmp/x
	bob_is_served
	assert_line --partial 'a folder in the place of an entry'
	[ ! -e $IN/$id ] && [ ! -e $IN/$id.tmp ]
	rm -rf $IN/*.dir
	# It became one once it was claimed.
	mkdir -p $QUEUE/$id.in/x
	bob_is_served
	[ ! -e $QUEUE/$id.in ]
}

@test "names that are no ids are nobody's business" {
	as $ALICE touch $IN/{x,1kdvdna0000000,1kdvdna000000000,1KDVDNA00000000} \
		$IN/{.hidden,1kdvdna00000000.in,1kdvdna00000000.TMP} \
		"$IN/"$'a\nb'
	bob_is_served
	assert_output 'done'
	assert_equal "$(find $IN -type f -printf x)" xxxxxxxx
}

@test "a user's own lock or lease stops nobody else" {
	local id
	add $ALICE
	id=$ID
	holds LEASE "$IN/$id" 'fcntl.lockf(f, fcntl.LOCK_EX)
fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)'
	bob_is_served
	assert_line --partial 'cannot open an entry'
	only "queue/$id.in"
	kill "${STARTED[0]}"
	wait "${STARTED[0]}" || true
	take
	assert_output 'done'
	whole "$id"
}

# ---- drafts ----

@test "drafts of the dead are swept away, those of the living are not" {
	local id=1kdvdna00000000
	printf x | forged $ALICE $id.tmp
	as $ALICE ln -s /etc/passwd $IN/${id/%0/1}.tmp
	as $ALICE mkfifo $IN/${id/%0/2}.tmp
	printf x | forged $ALICE ${id/%0/3}.tmp
	holds POSIX $IN/${id/%0/3}.tmp 'fcntl.lockf(f, fcntl.LOCK_EX)'
	# One that was not yet given to its group.
	printf x | forged $ALICE ${id/%0/4}.tmp
	as $ALICE chmod 600 $IN/${id/%0/4}.tmp
	bob_is_served
	only in/${id/%0/3}.tmp in/${id/%0/4}.tmp
	kill "${STARTED[0]}"
	wait "${STARTED[0]}" || true
	take $(($(date +%s) + 90000))
	only
}

# ---- one user does not stop the others ----

@test "of one user so much, and the others' too" {
	add $ALICE
	as $ALICE tee $IN/1kdvdna0000{1000..2099} <"$IN/$ID" >/dev/null
	chmod 640 $IN/*
	add $BOB
	take
	assert_line more
	whole "$ID"
	assert_equal "$(find $IN -type f -printf x | wc -c)" 101
	take
	refute_line more
	assert_equal "$(find $IN -type f)" ''
}

@test "a full disk stops what is large, and nothing is lost" {
	local id
	mount -o remount,size=24M /var/spool
	{ cat message; head -c 3000000 /dev/zero | tr '\0' '\n'; } >large
	id=$(as $ALICE spool add $IN <large)
	cp message small
	head -c 2500000 /dev/zero >/var/spool/full
	bob_is_served
	assert_line --partial 'No space left on device'
	only "queue/$id.in"
	rm /var/spool/full
	take
	assert_output 'done'
	cp large message
	whole "$id"
}

# ---- deaths and errors ----

# After one more pass it is there, whole and once.
taken_once() {
	[ "$status" -eq 0 ] || [ "$status" -eq 137 ] || [ -s err ] || return
	take
	[ "$status" -eq 0 ] && only "queue/$ID" && whole "$ID"
}

@test "killed at each call of an intake" {
	add $ALICE
	cp -p "$IN/$ID" good
	prepare() {
		system $RUNNER
		cp -p good "$IN/$ID"
	}
	each_call signal=KILL taken_once $IN $QUEUE
	many 15 15
}

@test "an error at each call of an intake" {
	add $ALICE
	cp -p "$IN/$ID" good
	prepare() {
		system $RUNNER
		cp -p good "$IN/$ID"
	}
	each_call error=ERROR taken_once $IN $QUEUE
	many 40 10
}

@test "killed or refused while it sets aside" {
	local how id=1kdvdna00000000
	prepare() {
		system $RUNNER
		forged $ALICE $id <message
	}
	aside_once() {
		take
		[ "$status" -eq 0 ] && [ ! -e "$IN/$id" ] &&
			cmp "$QUEUE/broken/$id" message
	}
	for how in signal=KILL error=ERROR; do
		each_call $how aside_once $IN $QUEUE
		many 15 5
	done
}

# What was told is there; what was not told may be, but not twice.
added_once() {
	set -- $IN/*.tmp
	[ "$status" -eq 137 ] || [ $# -eq 0 ] || return
	take
	[ "$status" -eq 0 ] || return
	as $RUNNER spool recover $QUEUE >list
	[ "$(wc -l <list)" -le 1 ] || return
	[ ! -s out ] || diff out list || return
	[ ! -s list ] || whole "$(cat list)"
}

@test "killed or refused while a user adds" {
	local how
	STRIKE=(setpriv --reuid="$ALICE" --regid="$ALICE" --clear-groups
		/var/spool/bin/spool)
	export STRIKE_INPUT=message
	prepare() { system $RUNNER; }
	for how in signal=KILL error=ERROR; do
		each_call $how added_once add $IN
		many 7 7
	done
}

# ---- under the runner's eyes ----

# What Alice does, to her file by a descriptor (5) or to its name (f).
CHANGES=(': >/proc/self/fd/5' 'echo x >>/proc/self/fd/5'
	'chmod 0 /proc/self/fd/5' 'ln -L /proc/self/fd/5 g' 'rm -f f'
	'mv f g' 'rm -f f; ln -s /etc/passwd f' 'rm -f f; mkfifo f'
	'rm -f f; mkdir f; touch f/x' 'cp g h; mv h f'
	'tr a-z A-Z </proc/self/fd/5 >g; cat g >/proc/self/fd/5')

# changed CALL COUNT CHANGE: an intake stops there, and goes on when Alice has
# done it.
changed() {
	local intake
	local -i deadline=SECONDS+20
	rm -f trace
	strace -o trace -e "trace=$1" -e "inject=$1:signal=STOP:when=$2" \
		"${STRIKE[@]}" $IN $QUEUE >out 2>err 4<&- &
	intake=$!
	until grep -q 'stopped by SIGSTOP' trace 2>/dev/null; do
		((SECONDS < deadline)) || return
	done
	as $ALICE sh -c "umask 027; cd $IN; ${3//f/$ID}" 2>/dev/null || true
	kill -CONT $(pgrep -P $intake)
	wait $intake
}

@test "changed at each call of an intake" {
	local call count change
	local -i n=0 whole=0
	add $ALICE
	cp -p "$IN/$ID" good
	calls $IN $QUEUE
	while read -r call count <&4; do
		# Between these the intake sees nothing of it.
		[[ $call == @(openat|fstat|newfstatat|pread64|rename*|fsync) ]] ||
			continue
		change=${CHANGES[n++ % ${#CHANGES[@]}]}
		system $RUNNER
		cp -p good "$IN/$ID"
		exec 5<>"$IN/$ID"
		changed "$call" "$count" "$change" ||
			fail "$change at $call $count: $(cat out err)"
		exec 5<&-
		take
		assert_success
		# Whole and once, or set aside.
		if [ -e "$QUEUE/$ID" ]; then
			whole "$ID" || fail "$change at $call $count"
			whole+=1
		fi
		assert_equal "$(find $QUEUE -name '*.in' -o -name '*.tmp')" ''
		[ ! -e "$IN/$ID" ] || fail "$change at $call $count: left"
	done 4<calls
	echo "$n changes, $whole whole"
	((n >= 30 && whole >= 10 && whole < n))
}

@test "several intakes at once take each entry once" {
	local i
	for ((i = 0; i < 100; i++)); do
		add $((ALICE + i % 5))
		echo "$ID"
	done | sort >added
	for ((i = 0; i < 4; i++)); do
		as $RUNNER intake $IN $QUEUE >>out 2>&1 &
		STARTED+=($!)
	done
	wait "${STARTED[@]}"
	take
	assert_output 'done'
	assert_equal "$(sort -u out)" 'done'
	as $RUNNER spool recover $QUEUE >list
	cmp list added
	mapfile -t names <list
	only "${names[@]/#/queue/}"
}
