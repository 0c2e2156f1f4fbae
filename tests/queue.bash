# shellcheck shell=bash
# queue.bash: what the .bats files share that run a queue and then ask whether
# everybody has got everything, and once.  Behind common.bash.

shopt -s extglob nullglob

# queue_setup: $Q is the queue's folder; nothing is in it.  It is in memory,
# where fsync(2) costs nothing: no power is lost here.
queue_setup() {
	common_setup
	XDG_STATE_HOME=$(mktemp -d /run/queue.XXXXXX)
	export XDG_STATE_HOME
	Q=$XDG_STATE_HOME/smtpsend
	# strace and strike trace us; LeakSanitizer would, too.
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
}

# account NAME PORT [LINE...]: one more account.
account() {
	printf '%s\n' "account $1" 'host 127.0.0.1' "port $2" \
		'queue_runner off' "${@:3}" >>"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
}

# only_account NAME PORT [LINE...]: this one, and no other.
only_account() {
	rm -f "$HOME/.smtpsendrc"
	account "$@"
}

# message N: on stdout, with a name of its own.
message() {
	printf '%s\n' "From: m$1@client.test" 'To: bob@x.test' \
		'Date: Fri, 21 Nov 1997 09:55:06 -0600' \
		"Message-ID: <$1@client.test>" 'Subject: hi' '' hello
}

# put N RECIPIENT...: queue message N, from mN@client.test.
put() {
	message "$1" | "$SMTPSEND" --queue=only -f "m$1@client.test" "${@:2}"
}

# entries: the ids of what is queued.
entries() {
	local name
	for name in "$Q"/!(broken|stamp|runner|*.tmp); do
		echo "${name##*/}"
	done
}

# settled PORT: all that was sent to a receiver by now has been read.
settled() {
	local fd _
	exec {fd}<>"/dev/tcp/127.0.0.1/$1"
	read -r -t 60 -u "$fd" _
	echo $'NOOP\r' >&"$fd"
	read -r -t 60 -u "$fd" _
	exec {fd}>&-
}

# served NAME: "MESSAGE-ID RECIPIENT" of each message that a receiver has.
served() {
	find "$T/$1" -name '*.msg' -printf '%f\n' | sed 's/msg$/env/' |
		(cd "$T/$1" && xargs -r awk '
		FNR == 1 {
			msg = FILENAME
			sub(/env$/, "msg", msg)
			id = "-"
			while ((getline line < msg) > 0 && line != "\r")
				if (tolower(line) ~ /^message-id:/) {
					split(line, word, /[ \r]+/)
					id = word[2]
				}
			close(msg)
		}
		$1 == "rcpt" { gsub(/[<>]/, "", $2); print id, $2 }')
}

# judge STATES FIRST SECOND: what is wrong with two runs, of which the first
# was disturbed and served FIRST, left the queue in STATES, and the second
# served SECOND; nothing if all is well.  $wanted and $refused are recipients as
# "MESSAGE-ID RECIPIENT" lines.
judge() {
	awk -v wanted="$wanted" -v refused="$refused" '
	FILENAME == ARGV[1] {
		if ($1 != "rcpt")
			next
		key = $3 " " $4
		open[key] = $5 == "pending" || $5 == "deferred"
		doubt[key] = $6 == "doubt"
		if ($5 == "failed" && $7 != "told")
			untold[$3] = 1
		next
	}
	FILENAME == ARGV[2] { first[$0]++; all[$0] }
	FILENAME == ARGV[3] { second[$0]++; all[$0] }
	function sender(id) {
		gsub(/[<>]/, "", id)
		return "m" id
	}
	function bad(why, key) {
		print why ": " key " (" first[key] + 0 " + " \
			second[key] + 0 " times" \
			(key in open ? open[key] ? ", was open" : \
			", was done" : ", was gone") \
			(doubt[key] ? ", in doubt" : "") ")"
	}
	END {
		n = split(wanted, list, "\n")
		for (i = 1; i <= n; i++)
			all[list[i]]
		for (key in all) {
			if (first[key] + second[key] == 0)
				bad("lost", key)
			# Who may have it, and nobody knows, may get it again,
			# and nobody else.
			if (first[key] > 1 || second[key] > 1 ||
			    (first[key] == 1 && second[key] == 1 &&
			    !(open[key] && doubt[key])))
				bad("twice", key)
			split(key, part)
			if (part[1] !~ /^<[0-9]+@client.test>$/)
				told[part[2]]++
		}
		n = split(refused, list, "\n")
		for (i = 1; i <= n; i++) {
			if (list[i] in all)
				bad("refused and served", list[i])
			split(list[i], part)
			due[sender(part[1])] = 1 + (part[1] in untold)
		}
		for (who in due)
			if (told[who] < 1 || told[who] > due[who])
				print "told " told[who] + 0 " times: " who
		for (who in told)
			if (!(who in due))
				print "told for nothing: " who
	}' "$@"
}

# has_sanitizers: the program is the slow one, which wants its library first.
has_sanitizers() {
	grep -q __asan_init "$SMTPSEND"
}
