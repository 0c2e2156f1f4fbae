#!/usr/bin/env bats
# Messages that are composed: what Python's email package reads in them.
# shellcheck disable=SC2016,SC2154 # jq's variables; run sets $stderr

load common

setup() {
	common_setup
	receiver box
}

# compose ARGUMENT...: send with ./text as the text; $output is then what
# tests/parts.py says of the message.
compose() {
	send -f alice@client.test --host "127.0.0.1:$PORT" "$@" <text
	exits 0
	silent
	read_parts
}

# read_parts [N]
read_parts() {
	output=$(/usr/bin/python3 "$TESTS/parts.py" "$T/box/${1:-1}.msg")
}

# has FILTER TEXT
has() {
	assert_equal "$(json "$1")" "$2"
}

sum() {
	sha256sum "$@" | cut -d ' ' -f 1 | paste -sd ' '
}

# refused CODE TEXT ARGUMENT...: nothing goes.
refused() {
	send -f alice@client.test --host "127.0.0.1:$PORT" "${@:3}" <text
	exits "$1"
	says "$2"
	stored 0
}

@test "a subject, and a text that looks like a header" {
	printf 'Subject: no\nTo: eve@x.test\n\n.\nFrom x\n' >text
	compose --subject 'Hello world' bob@x.test
	has .header.subject 'Hello world'
	has '.parts[0].text' $'Subject: no\r\nTo: eve@x.test\r\n\r\n.\r\nFrom x\r'
	has '.parts[0] | .type, .charset, .encoding' \
		$'text/plain\nus-ascii\n7bit'
	has '.header."mime-version"' 1.0
	assert_equal "$(recipients)" '<bob@x.test>'
}

@test "any script in subject, names and text" {
	printf 'Grüße aus Köln, 你好 🎉\n' >text
	compose --subject 'Grüße: 你好, "Zitat" =?utf-8?q?x?=' \
		--to 'Jörg "Joe" Müller <j@x.test>, "李, 雷" <l@x.test>' \
		--to 'Dr. Who <w@x.test>' --cc 'Über uns: c@x.test;, d@x.test' \
		--reply-to 'r@x.test (Zoë)'
	has .header.subject 'Grüße: 你好, "Zitat" =?utf-8?q?x?='
	has '.names | join("|")' 'Jörg Joe Müller|李, 雷|Dr. Who'
	has '.groups[0]' 'Über uns'
	has '.cc | join(" ")' 'c@x.test d@x.test'
	has '.header."reply-to"' 'Zoë <r@x.test>'
	has '.parts[0].text' $'Grüße aus Köln, 你好 🎉\r'
	has '.parts[0] | .charset, .encoding' $'utf-8\n8bit'
	assert_equal "$(recipients)" \
		'<j@x.test> <l@x.test> <w@x.test> <c@x.test> <d@x.test>'
}

@test "a subject of 500 words is folded" {
	printf 'x\n' >text
	local subject
	subject=$(seq -s ' ' 1000 1499)
	compose --subject "$subject" bob@x.test
	has .header.subject "$subject"
}

@test "an empty text, one without a final newline" {
	: >text
	compose --subject x bob@x.test
	has '.parts[0].text' ''
	printf 'no end' >text
	printf 1 >a
	compose --attach a --subject x bob@x.test
	read_parts 2
	has '.parts[0].text' 'no end'
	: >text
	compose --attach a bob@x.test
	read_parts 3
	has '.parts[0] | .text, .charset' $'\nus-ascii'
}

@test "what is no UTF-8 says so" {
	printf 'gr\374n\n' >text
	send -v -f alice@client.test --host "127.0.0.1:$PORT" --subject x \
		bob@x.test <text
	exits 0
	says 'the text is not UTF-8'
	read_parts
	has '.parts[0] | .charset, .encoding, .text' \
		$'unknown-8bit\n8bit\ngrün\r'
}

@test "who is written to: --to, --cc, --bcc, operands" {
	printf 'x\n' >text
	compose --subject x bob@x.test 'Carol <c@x.test>'
	has '.to | join("; ")' 'bob@x.test; Carol <c@x.test>'
	compose --to a@x.test --bcc b@x.test c@x.test
	read_parts 2
	has '.to | join("; ")' a@x.test
	has '.fields | map(ascii_downcase) | index("bcc")' null
	assert_equal "$(recipients box/2)" '<c@x.test> <a@x.test> <b@x.test>'
	compose --to a@x.test --bcc b@x.test --keep-bcc -t
	read_parts 3
	has .header.bcc b@x.test
	assert_equal "$(recipients box/3)" '<a@x.test> <b@x.test>'
}

@test "a bad address is a failed recipient, and in no field" {
	printf 'x\n' >text
	send -f a@x.test --host "127.0.0.1:$PORT" --to 'bad, bob@x.test' \
		--cc 'T: nobody@;' <text
	exits 67
	says 'smtpsend: bad: failed at input: --to: address "bad"' \
		'smtpsend: nobody@: failed at input: --cc: address "nobody@"'
	assert_equal "$(recipients)" '<bob@x.test>'
	read_parts
	has '.to | join(" ")' bob@x.test
	refute grep -q nobody box/1.msg
}

@test "three attachments, octet for octet" {
	printf 'see there\n' >text
	head -c 100000 /dev/urandom >a.bin
	: >empty
	printf '.\r\n\r\rFrom x\n..\n' >'b c.txt'
	compose --attach a.bin --attach empty --attach "$T/b c.txt:x-y/z" \
		--subject x bob@x.test
	has '[.parts[1:][].sha256] | join(" ")' "$(sum a.bin empty 'b c.txt')"
	has '[.parts[1:][].filename] | join("|")' 'a.bin|empty|b c.txt'
	has '[.parts[1:][].disposition] | unique[]' attachment
	has '.parts[3] | .type, .encoding' $'x-y/z\nbase64'
	has '.parts | length' 4
}

@test "names of files in any script, of any length, with any sign" {
	local long name names=()
	printf 'x\n' >text
	long=$(printf '漢字%.0s' {1..40})
	names=('Übersicht 2024.pdf' '你好.txt' 'a "quoted" \ name' "it's 50%*.txt"
		"$long.txt" "$(printf '%0200d' 0).txt" 'x;y=z.txt'
		'=?utf-8?q?x?=.txt' '-dash')
	for name in "${names[@]}"; do
		printf '%s' "$name" >"$name"
		set -- "$@" --attach "./$name"
	done
	compose "$@" bob@x.test
	for name in "${names[@]}"; do
		has ".parts | map(.filename) | index($(jq -n --arg n "$name" \
			'$n')) != null" true
	done
	has '.parts | length' 10
}

@test "types: by name, by word, unknown" {
	printf 'x\n' >text
	printf 'ü' >a.csv
	cp a.csv noname
	cp a.csv b:text
	cp a.csv c:text/x 2>/dev/null || { mkdir c:text && cp a.csv c:text/x; }
	compose --attach noname --attach noname:image/png --attach b:text \
		--attach c:text/x --attach a.csv:text/csv bob@x.test
	has '[.parts[1:][].type] | join(" ")' 'application/octet-stream image/png application/octet-stream application/octet-stream text/csv'
	has '.parts[5].charset' utf-8
	has '.parts[3].filename' b:text
	[ -r /etc/mime.types ] || skip 'no /etc/mime.types'
	cp a.csv a.PNG
	compose --attach a.csv --attach a.PNG bob@x.test
	read_parts 2
	has '[.parts[1:][].type] | join(" ")' 'text/csv image/png'
}

@test "a message goes as it is" {
	printf 'x\n' >text
	printf 'Subject: =?utf-8?q?=C3=BC?=\r\nTo: x@x.test\r\n\r\ngr\303\274n\r\n' \
		>m.eml
	compose --attach m.eml:message/rfc822 bob@x.test
	has '.parts[1] | .type, .encoding, .subject' \
		$'message/rfc822\n8bit\nü'
	has '.parts[1].sha256' "$(sum m.eml)"
	has '.header."content-transfer-encoding"' 8bit
	printf 'a\0b' >nul
	send -f a@x.test --host "127.0.0.1:$PORT" \
		--attach nul:message/rfc822 bob@x.test <text
	exits 65
	says 'nul: octet 2 is a NUL' application/octet-stream
}

@test "from a pipe, twice the memory's limit" {
	printf 'x\n' >text
	head -c 3000000 /dev/urandom >data
	compose --attach <(cat data) --attach data bob@x.test
	has '[.parts[1:][].sha256] | join(" ")' "$(sum data data)"
}

@test "--header adds, replaces, deletes" {
	printf 'Subject: old\nX-A: 1\nX-A: 2\n\nhello\n' >text
	compose --header 'X-B: a=b' --header 'subject=grün: ja' --header X-A \
		--header 'Cc:Jörg <j@x.test>' --header 'X-C:' bob@x.test
	has '.fields[0]' subject
	has .header.subject 'grün: ja'
	has '.header."x-b"' a=b
	has '.header."x-a"' null
	has '.cc[0]' 'Jörg <j@x.test>'
	has '.header."x-c"' ''
	assert_equal "$(recipients)" '<bob@x.test>'
	compose --subject a --header 'Subject=b' --header 'Keywords:c' bob@x.test
	read_parts 2
	has .header.subject b
	has .header.keywords c
}

@test "--header adds no second field of what a message has once" {
	printf 'Subject: old\n\nhello\n' >text
	refused 65 'there already; give Subject=VALUE' --header Subject:new \
		bob@x.test
	refused 65 'give Content-Type=VALUE' --subject x \
		--header 'Content-Type: text/html' bob@x.test
	refused 65 'give To=VALUE' --to bob@x.test --header To:c@x.test
	compose --header X-A:1 --header X-A:2 --header Keywords:1 \
		--header Keywords:2 bob@x.test
	has '[.fields[] | select(ascii_downcase == "x-a" or . == "Keywords")] | length' 4
}

@test "a text of another type, but no attachment that cannot be read" {
	local name
	printf '<p>Grüße\n' >text
	compose --subject x --header 'Content-Type=text/html' bob@x.test
	has '.parts[0] | .type, .charset, .text' $'text/html\nutf-8\n<p>Grüße\r'
	refused_again() {
		send -f a@x.test --host "127.0.0.1:$PORT" "${@:2}" <text
		exits 64
		says "$1"
		stored 1
	}
	for name in content-type Content-Type=text/html Content-Type:text/html; do
		refused_again FILE:TYPE --attach text --header "$name" bob@x.test
	done
	for name in Content-Transfer-Encoding=base64 mime-version; do
		refused_again 'has its own' --subject x --header "$name" bob@x.test
	done
}

@test "--header names recipients for -t, and Bcc goes" {
	printf 'To: bob@x.test\n\nhello\n' >text
	send -f a@x.test --host "127.0.0.1:$PORT" -t --header Bcc:eve@x.test \
		--header To=carol@x.test <text
	exits 0
	assert_equal "$(recipients)" '<carol@x.test> <eve@x.test>'
	refute grep -qi '^bcc' box/1.msg
}

@test "-t does not look into the text, and says so" {
	printf 'To: bob@x.test\n\nhello\n' >text
	refused 64 'standard input is the text' -t --subject x
	says '--header NAME=VALUE'
}

@test "no line end gets into the header" {
	local option
	printf 'x\n' >text
	for option in subject to cc bcc reply-to; do
		refused 64 'line end' "--$option" \
			$'a@x.test\nBcc: eve@x.test' bob@x.test
		refused 64 'line end' "--$option" $'a@x.test\r' bob@x.test
	done
	refused 64 'line end' --header $'X: a\nBcc: eve@x.test' bob@x.test
	refused 64 'line end' --attach $'a\nb' bob@x.test
	refused 64 'octet 2' --header 'X Y: a' bob@x.test
	refused 64 'no name' --header ': a' bob@x.test
}

@test "what cannot be attached: 66 or 64, and nothing goes" {
	printf 'x\n' >text
	mkdir folder
	refused 66 'cannot attach none: No such file' --attach none bob@x.test
	refused 66 'without the @' --attach @text bob@x.test
	refused 66 'cannot read folder: Is a directory' --attach folder \
		bob@x.test
	refused 64 'standard input is the text' --attach - bob@x.test
	refused 64 'no file' --attach :image/png bob@x.test
	refused 64 'no type like text/plain' --attach text:plain bob@x.test
	refused 64 'no type like text/plain' --attach text: bob@x.test
	refused 64 multipart --attach text:multipart/mixed bob@x.test
	refused 64 '--reply-to "bad"' --reply-to bad bob@x.test
	refused 64 'no recipient' --subject x
	printf 'a\0b' >text
	refused 65 'the text: octet 2 is a NUL' --subject x bob@x.test
}

@test "a server without 8BITMIME" {
	receiver seven -r 'ehlo=502 5.5.1 no'
	printf 'grün\n%01500d\n' 0 >text
	head -c 1000 /dev/urandom >a
	send -f a@x.test --host "127.0.0.1:$PORT" --attach a bob@x.test <text
	exits 0
	output=$(/usr/bin/python3 "$TESTS/parts.py" seven/1.msg)
	has '.parts[0].encoding' quoted-printable
	has '.parts[0].text' "$(printf 'grün\r\n%01500d\r' 0)"
	has '.parts[1].sha256' "$(sum a)"
}

@test "64 MiB are never held in memory" {
	[[ $SMTPSEND != */asan/* ]] || skip 'sanitizers reserve all memory'
	printf 'x\n' >text
	truncate -s 64M big
	(ulimit -v 40000 && "$SMTPSEND" -f a@x.test --host "127.0.0.1:$PORT" \
		--attach big bob@x.test <text)
	read_parts
	has '.parts[1].sha256' "$(sum big)"
}

@test "a file that changes ends the transaction" {
	printf 'x\n' >text
	head -c 10000 /dev/urandom >a
	receiver held -w data
	INPUT=text begin --host "127.0.0.1:$PORT" --attach a bob@x.test
	event 'waiting data'
	printf more >>a
	release
	end
	exits 75
	says 'the file of a changed while it was sent'
	stored held 0
}
