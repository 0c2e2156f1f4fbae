#!/usr/bin/env bats
# Many runs of one queue at once, some of which are killed: each message goes
# out once.

load common
load queue

setup() {
	local n
	queue_setup
	# How many; the program with sanitizers is slow.
	N=1000
	! has_sanitizers || N=300
	for n in 0 1 2 3; do
		receiver "box$n" -n $((N / 160))
		account "a$n" "$PORT"
	done
	exec {EVENTS0}<>"$T/box0.events"
	fill
}

# fill: messages 1 to N for four servers.
fill() {
	local now
	now=$(date +%s)000
	for ((i = 1; i <= N; i++)); do
		printf '%s\n' "new $now" "account a$((i % 4))" \
			"from m$i@client.test" "to bob@d$((i % 7)).test" \
			"text From: m$i@client.test" 'text To: bob@x.test' \
			'text Date: Fri, 21 Nov 1997 09:55:06 -0600' \
			"text Message-ID: <$i@client.test>" \
			'text Subject: hi' 'text ' 'text hello' put
	done | "$TOOLS/entries" "$Q" >/dev/null
	for ((i = 1; i <= N; i++)); do
		echo "<$i@client.test> bob@d$((i % 7)).test"
	done | sort >wanted
}

# all_served: what the four have, sorted.
all_served() {
	local n
	for n in 0 1 2 3; do
		served "box$n"
	done | sort
}

# start: a run in the background: RUNS has its pid, OUTS the pipe that ends
# with the last of its processes.
start() {
	local out
	exec {out}< <(exec "$SMTPSEND" -q -j 2 2>&1 3>&-)
	RUNS+=($!)
	OUTS+=("$out")
	STARTED+=($!)
}

# finish: the first of them, which has nothing to complain of but that it was
# killed.
finish() {
	local out=${OUTS[0]}
	cat <&"$out" >&2
	exec {out}<&-
	RUNS=("${RUNS[@]:1}")
	OUTS=("${OUTS[@]:1}")
}

@test "ten runs at once deliver each message once" {
	local i
	RUNS=() OUTS=()
	for ((i = 0; i < 10; i++)); do
		start
	done
	for ((i = 0; i < 10; i++)); do
		finish
	done
	assert_equal "$(entries)" ''
	all_served | diff wanted -
}

@test "runs that are killed, one after the other" {
	local i
	RUNS=() OUTS=()
	for ((i = 0; i < 5; i++)); do
		start
	done
	: >doubtful
	for ((i = 0; i < 10; i++)); do
		# Whenever the first server has so many more, the oldest dies,
		# while the others hold still: who may be served again can be
		# told exactly.
		read -r -t 60 -u "$EVENTS0" EVENT
		[[ $EVENT == stored* ]]
		kill -STOP "${RUNS[@]:1}" 2>/dev/null || true
		kill -KILL "${RUNS[0]}" 2>/dev/null || true
		finish
		"$TOOLS/states" "$Q" >states
		awk '/^queued/ && /doubtful/ && !/locked/ { left[$2] }
			$1 == "rcpt" && $2 in left && $6 == "doubt" {
				print $3, $4
			}' states >>doubtful
		kill -CONT "${RUNS[@]}" 2>/dev/null || true
		start
	done
	while [ ${#RUNS[@]} -gt 0 ]; do
		finish
	done
	"$SMTPSEND" -q
	assert_equal "$(entries)" ''
	all_served >all
	uniq all | diff wanted -
	# Once more for each time that it was in doubt, at most.
	uniq -d all | sort -u >twice
	sort -u doubtful | comm -13 - twice >wrong
	assert_equal "$(cat wrong)" ''
	(($(wc -l <all) <= N + $(wc -l <doubtful)))
}
