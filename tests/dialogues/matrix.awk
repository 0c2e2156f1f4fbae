# matrix.awk: dialogues for every step with every fault, into the folder dir.
# Reads matrix.tab, which says what the rows mean.
#
#	awk -v dir=build/dialogues -f matrix.awk matrix.tab

BEGIN {
	FS = "\t+"
	name["b"] = "b@example.net"
	name["c"] = "c@example.net"
	name["d"] = "d@example.net"
	offer["starttls"] = "STARTTLS"
	offer["auth"] = "AUTH PLAIN"
	state["ok"] = "delivered stage end"
	state["T"] = "deferred kind reply"
	state["P"] = "failed kind reply"
	state["X"] = "deferred kind protocol"
	state["L"] = "deferred kind connect"
	state["U"] = "deferred doubt stage end"
	state["K"] = "deferred kind machine"
	state["R"] = "deferred kind tls"
	state["S"] = "deferred kind connect"
}

/^#/ || /^$/ { next }

{ split($1, word, " ") }

word[1] == "step" {
	steps[++nsteps] = word[2]
	kind[word[2]] = $2
	good[word[2]] = $3
	client[word[2]] = $4
}

word[1] == "fault" {
	faults[++nfaults] = word[2]
	class[word[2]] = $2
	server[word[2]] = $3
}

word[1] == "read" { reads[word[2], $2] = $3 }

word[1] == "verdict" {
	exits[word[2], $2] = $3
	outcomes[word[2], $2] = $4
	then[word[2], $2] = $5
}

word[1] == "reply" { replies[++nreplies] = word[2] "\t" $2 "\t" $3 }

# --- writing ----------------------------------------------------------------

function put(line) { print line >file }

# What is said at a step before the server's turn.
function ask(step) {
	if (client[step] == "data")
		put("C! data message")
	else if (client[step] != "-")
		put("C: " client[step])
}

function answer(step) { put("S: " good[step] " ok") }

# The fault's lines, with the step's code.
function misbehave(step, fault, line, n, i, text) {
	n = split(server[fault], line, / \| /)
	for (i = 1; i <= n; i++) {
		text = line[i]
		gsub(/@/, good[step], text)
		put(text)
	}
}

# The verdict's key for a fault at a step, "" if there is none.
function key(step, fault, k, c) {
	k = kind[step]
	c = class[fault]
	if ((k, c) in reads)
		c = reads[k, c]
	return (k, c) in exits ? k SUBSEP c : ""
}

# The steps of the dialogue that shows a step, in order.
function path_of(step, hello) {
	hello = speaks_lmtp(step) ? "lhlo" : step ~ /^(helo|starttls|auth)$/ ? "ehlo " step : "ehlo"
	return "greeting " hello " mail rcpt1 rcpt2 rcpt3 data " \
	    (speaks_lmtp(step) ? "end1 end2 end3" : "end") " quit"
}

function speaks_lmtp(step) { return step ~ /^(lhlo|end[1-3])$/ }

# One step as it should be; HELO only comes when EHLO is refused.
function take(step, next_step) {
	ask(step)
	if (next_step == "helo")
		put("S: 502 what?")
	else if (next_step in offer) {
		put("S: 250-ok")
		put("S: 250 " offer[next_step])
	}
	else if (step != "quit")
		answer(step)
}

# Steps number `from` to `to` of a path.
function go_on(path, from, to, step, i) {
	split(path, step, " ")
	for (i = from; i <= to; i++)
		take(step[i], step[i + 1])
}

function to_the_end(path, from, step) {
	go_on(path, from, split(path, step, " "))
}

# The recipients' letters: "b c d" for BEFORE/THIS/AFTER at step i of them.
function spread(text, i, part, n, k, list) {
	n = split(text, part, "/")
	for (k = 1; k <= 3; k++)
		list = list " " (n == 1 ? text : part[k < i ? 1 : k == i ? 2 : 3])
	return substr(list, 2)
}

# What the codes of an outcome's letter are, at a step and fault.
function detail(letter, step, fault, text) {
	text = state[letter]
	if (letter ~ /^[TPXLR]$/)
		text = text " stage " stage_of(step)
	if (letter ~ /^[TP]$/) {
		match(server[fault], /[245][0-9][0-9]/)
		text = text " code " substr(server[fault], RSTART, RLENGTH)
	}
	if (letter ~ /^[UL]$/ && class[fault] == "late")
		text = text " text *timed out*"
	if (letter == "S")
		text = text " text *interrupted*"
	return text
}

function stage_of(step) {
	if (step ~ /^(helo|lhlo)$/)
		return "ehlo"
	sub(/[0-9]$/, "", step)
	return step
}

# Where the code is not one for all steps of a kind, the outcomes tell it.
function exit_of(letters) {
	if (letters ~ /P/ || (letters ~ /ok/ && letters ~ /[TULX]/))
		return 69
	return letters ~ /[TULX]/ ? 75 : 0
}

function head(title, args, code, step, fault, letters, letter, who, n, i) {
	put("title: " title)
	put("args: -f a@example.org --helo client.example.org " args)
	if (class[fault] == "late")
		put("args: --timeout 1")
	if (step == "starttls")
		put("args: --tls encrypt")
	if (step == "auth")
		put("args: --auth plain --user u --passwordcmd \"echo p\"")
	put("args: b@example.net c@example.net d@example.net")
	put("exit: " code)
	n = split(letters, letter, " ")
	split("b c d", who, " ")
	for (i = 1; i <= n; i++)
		put("outcome: " name[who[i]] " " detail(letter[i], step, fault))
}

# --- one dialogue -------------------------------------------------------------

# After the fault: the rest of this connection.
function rest(path, i, after, fault) {
	if (after == "go")
		to_the_end(path, i + 1)
	else if (after == "quit")
		put("C: QUIT")
	else if (server[fault] !~ /S! (close|reset|stall)$/)
		put(class[fault] ~ /yz$/ ? "C? QUIT" : "C! close")
}

function number_of(step, path, list, n, i) {
	n = split(path, list, " ")
	for (i = 1; i <= n && list[i] != step; i++)
		continue
	return i
}

# `hosts` is 1 or 2; with two, the second one takes what may go to it.
function dialogue(step, fault, hosts, k, path, i, letters, code, after) {
	k = key(step, fault)
	if (k == "")
		return
	path = path_of(step)
	after = then[k]
	i = step ~ /[0-9]$/ ? substr(step, length(step)) : 1
	letters = spread(outcomes[k], i)
	code = exits[k] == "-" ? exit_of(letters) : exits[k]
	# RFC 5321 3.2: a server that refuses EHLO may know HELO.
	if (step == "ehlo" && class[fault] == "5yz") {
		path = path_of("helo")
		after = "go"
	}
	if ((hosts == 2 && after == "next") || path != path_of(step)) {
		code = 0
		letters = "ok ok ok"
	}
	i = number_of(step, path)
	file = dir "/" step "-" fault (hosts == 2 ? "-next" : "") ".dlg"
	head(fault " at " step (hosts == 2 ? ", another host" : ""),
	    hosts_of(step, hosts), code, step, fault, letters)
	put("server A")
	go_on(path, 1, i - 1)
	ask(step)
	misbehave(step, fault)
	rest(path, i, after, fault)
	if (hosts == 2)
		put("server B")
	if (hosts == 2 && after == "next")
		to_the_end(path_of(step ~ /^helo$/ ? "mail" : step), 1)
	close(file)
}

function hosts_of(step, hosts, scheme) {
	scheme = speaks_lmtp(step) ? "lmtp://" : ""
	return "--host " scheme "${A}" (hosts == 2 ? "," scheme "${B}" : "")
}

# RSET comes between two transactions: the first has one recipient, refused.
function after_rset(fault, k, after) {
	k = key("rset", fault)
	after = then[k]
	file = dir "/rset-" fault ".dlg"
	put("title: " fault " at rset")
	put("args: -f a@example.org --helo client.example.org --host ${A}")
	if (class[fault] == "late")
		put("args: --timeout 1")
	put("args: b@example.net c@example.net")
	put("exit: 67")
	put("outcome: b@example.net failed stage rcpt code 550")
	put("outcome: c@example.net " detail(outcomes[k], "rset", fault))
	put("server A")
	one_by_one("greeting ehlo mail rcpt1")
	put("S: 550 no such user")
	ask("rset")
	misbehave("rset", fault)
	if (after == "go")
		to_the_end("mail rcpt2 data end quit", 1)
	else
		rest("", 0, after, fault)
	if (after == "again") {
		put("connection")
		one_by_one("greeting ehlo mail rcpt2")
		answer("rcpt2")
		to_the_end("data end quit", 1)
	}
	close(file)
}

# Up to the question of the last step, with one recipient a transaction.
function one_by_one(path, step, n, i) {
	n = split(path, step, " ")
	for (i = 1; i <= n; i++) {
		ask(step[i])
		if (step[i] == "ehlo") {
			put("S: 250-ok")
			put("S: 250 LIMITS RCPTMAX=1")
		} else if (i < n)
			answer(step[i])
	}
}

# A row of step, reply and exit code.
function exit_code(row, number, field, step, path, i, letters) {
	split(row, field, "\t")
	step = field[1]
	path = path_of(step)
	i = number_of(step, path)
	letters = spread(kind[step] == "rcpt" ? "ok/P/ok" : "P", 2)
	server["this"] = field[2]
	file = dir "/exit-" step "-" number ".dlg"
	head("exit " field[3] " by \"" field[2] "\" at " step, hosts_of(step, 1),
	    field[3], step, "this", letters)
	put("server A")
	go_on(path, 1, i - 1)
	ask(step)
	put("S: " field[2])
	rest(path, i, then[kind[step], "5yz"], "this")
	close(file)
}

END {
	class["this"] = "5yz"
	for (r = 1; r <= nreplies; r++)
		exit_code(replies[r], r)
	for (s = 1; s <= nsteps; s++)
		for (f = 1; f <= nfaults; f++) {
			if (steps[s] == "rset") {
				after_rset(faults[f])
				continue
			}
			dialogue(steps[s], faults[f], 1)
			if (kind[steps[s]] !~ /^(lmtp|tls)$/)
				dialogue(steps[s], faults[f], 2)
		}
}
