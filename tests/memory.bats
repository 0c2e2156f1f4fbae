#!/usr/bin/env bats
# No memory error, leak or lost descriptor in typical runs, by valgrind.
# shellcheck disable=SC2154 # run sets $stderr

load common

setup() {
	[[ $SMTPSEND != */asan/* ]] || skip 'the sanitizers look themselves'
	common_setup
}

# shellcheck disable=SC2054 # the commas are valgrind's
check=(valgrind --quiet --trace-children=yes --leak-check=full
	--errors-for-leak-kinds=definite,possible --error-exitcode=99
	--track-fds=yes)

# checked CODE ARGUMENT...: run it under valgrind.
checked() {
	run --separate-stderr "${check[@]}" --log-file="$T/log.%p" \
		"$SMTPSEND" "${@:2}" 3>&-
	exits "$1"
	clean
}

# clean: neither parent nor worker has errors, lost memory, or a descriptor
# open at its end but those it was given: a worker has the parent's body.
clean() {
	local log
	local -a logs
	mapfile -t logs < <(printf '%s\n' log.* | sort -V)
	assert_equal "$(reports "${logs[0]}")" ''
	for log in "${logs[@]:1}"; do
		assert_equal "$(reports "$log" | sed '/^Open .* temporary (body/d')" ''
	done
	rm log.*
}

# reports LOG: what is in it, a line a descriptor, but for those of bats.
reports() {
	sed 's/^==[0-9]*== *//' "$1" | awk '
	/^Open / { open = $0; next }
	/^<inherited from parent>/ { open = ""; next }
	open != "" && !/^$/ { open = open " " $0; next }
	open != "" { print open; open = "" }
	/^FILE DESCRIPTORS: / || /^$/ { next }
	{ print }
	END { if (open != "") print open }'
}

@test "a delivery to several recipients, one of them refused" {
	receiver box
	checked 67 -v --json -f a@x.test --host "127.0.0.1:$PORT" bob@x.test \
		'Eve <eve@x.test>, b@, "x y"@z.test' permfail@x.test <message
	stored 1
}

@test "a large message from a pipe, by two routes" {
	receiver other -a 127.0.0.2
	receiver box -p "$PORT"
	checked 0 -v -f '' --mx --port "$PORT" 'bob@[127.0.0.1]' \
		'eve@[127.0.0.2]' < <(cat message; yes '.x' | head -c 2M)
	stored 1
	stored other 1
}

@test "LMTP, behind a host that is dead" {
	receiver dead
	kill "$SINK"
	wait "$SINK" || true
	local dead=$PORT
	receiver box -L
	checked 69 --json -f a@x.test --timeout 5 --resolve \
		"h.test:$dead:127.0.0.1" --host "h.test:$dead,lmtp://127.0.0.1:$PORT" \
		bob@x.test tempfail@x.test <message
	stored 1
}

@test "a plan that cannot ask the name server" {
	checked 75 --dry-run --json -f a@x.test --timeout 1 \
		--nameserver 127.0.0.1:1 bob@x.test 'eve@[203.0.113.1]' <message
}

@test "a server that goes away, and one that talks nonsense" {
	receiver box -r $'mail=not a reply'
	checked 75 -f a@x.test --host "127.0.0.1:$PORT" bob@x.test <message
	receiver bye -r 'data=421 4.3.0 bye'
	checked 75 -f a@x.test --host "127.0.0.1:$PORT" bob@x.test <message
}

@test "a message that cannot be used, and an option that is none" {
	printf 'a: b\n\nx\0y\n' >message
	checked 65 -f a@x.test --host 127.0.0.1 bob@x.test <message
	checked 64 -f a@x.test --resolve h:25:127.0.0.1 --bogus <message
	checked 0 --help <message
}

@test "a signal while the server is silent" {
	receiver box -w rcpt
	"${check[@]}" --log-file="$T/log.%p" "$SMTPSEND" -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test <message >out 2>err 3>&- &
	PID=$!
	STARTED+=("$PID")
	event 'waiting rcpt'
	kill -TERM "$PID"
	end
	exits 75
	clean
}
