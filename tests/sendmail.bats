#!/usr/bin/env bats
# The sendmail face: its letters as callers write them, and what they lead to.
# shellcheck disable=SC2154 # run sets $stderr

load common

# The relay of the configuration is the receiver; nothing is added to what has
# all fields, and nobody runs a queue behind our back.
setup() {
	common_setup
	receiver box
	for NAME in sendmail send-mail mailq newaliases runq rmail; do
		ln -s "$SMTPSEND" "$NAME"
	done
	config "host 127.0.0.1" "port $PORT"
}

# config LINE...: the account's, and more for the defaults from $DEFAULTS.
config() {
	printf '%s\n' defaults 'queue_runner off' 'maildomain home.test' \
		"${DEFAULTS[@]}" 'account default' "$@" >.smtpsendrc
}

# mail ARGUMENT...: ./message goes through sendmail.
mail() {
	run --separate-stderr ./sendmail "$@" <message
}

# quiet: it went well, and nobody heard of it.
quiet() {
	exits 0
	silent
}

# sender [NAME/N]: of message N.
sender() {
	sed -n 's/^mail <\([^>]*\)>.*/\1/p' "$T/${1:-box/1}.env"
}

# got [NAME/N]: its recipients.
got() {
	recipients "${1:-box/1}" | tr -d '<>'
}

# sent_by ARGUMENT...: the sender and recipients of a mail with these, as
# "SENDER: RECIPIENT...".
sent_by() {
	local last
	mail "$@"
	quiet
	last=$(printf '%s\n' box/*.env | sort -V | tail -n 1)
	last=${last%.env}
	echo "$(sender "$last"): $(got "$last")"
}

# queued [TEXT]: how many messages the queue has, with TEXT in the list.
queued() {
	./mailq | grep -c "^[0-9a-z]\{15\}"
}

@test "a message to a recipient goes out as it is, in silence" {
	mail -i -f a@x.test bob@x.test
	quiet
	printf %s "$WIRE" >expected
	arrived expected
	assert_equal "$(sender): $(got)" 'a@x.test: bob@x.test'
}
