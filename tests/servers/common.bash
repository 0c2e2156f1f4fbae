# shellcheck shell=bash
# common.bash: what the .bats files of this folder share.  Each file runs in
# a world of its own (see ./world), started by script/test.

bats_require_minimum_version 1.5.0
source "${BASH_SOURCE[0]%/*}/../assert.bash"

SERVERS=${BASH_SOURCE[0]%/*}
export SERVERS
export SMTPSEND=${SMTPSEND:-$SERVERS/../../smtpsend}
export TOOLS=${TOOLS:-$SERVERS/../../build/release/tools}

# A folder for the servers of this file, which other users can enter.
prepare() {
	export D=$BATS_FILE_TMPDIR
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$D"
}

certificates() {
	"$SERVERS/mkca" "$D/ca" 'mx1=DNS:mx1.example.test,IP:127.0.0.1'
}

# start SCRIPT ARG...: start a server of this folder; it returns when ready.
start() {
	"$SERVERS/detach" "$D/log" "$SERVERS/$1" "${@:2}"
}

# start_announced NAME CMD...: the same for one that stays in the foreground
# and says "listening" on stdout.
start_announced() {
	"$SERVERS/detach" "$D/$1.log" "${@:2}" &
	"$SERVERS/waitfor" 30 grep -q '^listening' "$D/$1.log"
}

# message KIND ID: a message, as a user would pipe it in.
message() {
	case $1 in
	from_line) echo 'From alice@client.test Sat Nov 21 10:00:00 2026' ;;
	crlf)
		message plain "$2" | sed 's/$/\r/'
		return
		;;
	esac
	cat <<-HEADER
		From: Alice <alice@client.test>
		To: Bob <bob@example.test>
		Subject: $1
		Date: Sat, 21 Nov 2026 10:00:00 +0000
		Message-ID: <$2>
	HEADER
	[ "$1" != eightbit ] || cat <<-HEADER
		MIME-Version: 1.0
		Content-Type: text/plain; charset=unknown-8bit
		Content-Transfer-Encoding: 8bit
	HEADER
	echo
	case $1 in
	plain | from_line) printf 'hello\n\nFrom here on\n\n\n' ;;
	eightbit) printf 'gr\303\274\303\237e, and caf\351, \200\377\n' ;;
	dots) printf '.\n..\n...\n.leading\n . \n.\n' ;;
	empty) ;;
	unterminated) printf 'one\nlast line without an end' ;;
	mixed) printf 'lf\ncrlf\r\nlf\n\r\n.\r\n.\nend\n' ;;
	long) printf '%0998d\n.%0997d\n' 0 0 ;;
	big) seq -f '.line %.0f: some text that fills it, and its end' 12000 ;;
	esac
}

# expected KIND ID: the same as it should arrive, with LF.
expected() {
	case $1 in
	from_line) message "$1" "$2" | sed 1d ;;
	unterminated) message "$1" "$2" && echo ;;
	*) message "$1" "$2" | tr -d '\r' ;;
	esac
}

# stored ID: the files below $STORE that hold this message.
stored() {
	grep -rlF "Message-ID: <$1>" "$STORE" | grep -E '/new/|\.msg$'
}

# copies N ID: so many files hold this message.
copies() {
	[ "$(stored "$2" | wc -l)" = "$1" ]
}

# stored_with PATTERN: those that have a line like it. Only what lies in new: a
# server still writes what is in tmp, and moves it from there.
stored_with() {
	grep -rl -- "$1" "$STORE" | grep /new/
}

# same_message STORED EXPECTED: equal octets, behind nothing but the trace
# that servers put in front.
same_message() {
	local size front
	size=$(stat -c %s "$2")
	tail -c "$size" "$1" | cmp - "$2"
	front=$(head -c "-$size" "$1" | grep -viE \
		'^((return-path|x-original-to|delivered-to|envelope-to|received): |[[:space:]])') || true
	assert_equal "$front" ''
}

# arrives KIND SMTPSEND-ARGUMENT...: send it, find it, compare it.
arrives() {
	local id=$1.$BATS_TEST_NUMBER@client.test
	message "$1" "$id" >"$BATS_TEST_TMPDIR/in"
	expected "$1" "$id" >"$BATS_TEST_TMPDIR/expected"
	[ -z "${WIRE:-}" ] || sed -i 's/$/\r/' "$BATS_TEST_TMPDIR/expected"
	run "$SMTPSEND" "${@:2}" <"$BATS_TEST_TMPDIR/in"
	assert_success
	assert_output ''
	"$SERVERS/waitfor" 30 stored "$id"
	while read -r file; do
		same_message "$file" "$BATS_TEST_TMPDIR/expected"
	done < <(stored "$id")
}
# sessions_over LOG: each session that this log of Postfix's tells of has ended.
# It is written behind what the clients see.
sessions_over() {
	[ "$(grep -c '\]: connect from' "$1")" = \
		"$(grep -c '\]: disconnect from' "$1")" ]
}

# waitfor is a program of its own, and calls them.
export -f stored copies stored_with sessions_over

# outcomes: from --json in $output, one line for each recipient.
outcomes() {
	jq -r '.recipients[] |
		[.address, .outcome, .stage, .code, .enhanced] |
		map(tostring | select(. != "")) | join(" ")' <<<"$output"
}

# send ARGUMENT...: a small message with --json, the result in $status and
# $output.
send() {
	run --separate-stderr "$SMTPSEND" --json -f alice@client.test "$@" \
		< <(message plain "$BATS_TEST_NUMBER@client.test")
}
