#!/usr/bin/env bats
# What smtpsend makes of the answers of Exim: exim.sh has the local parts.

load common

setup_file() {
	prepare
	certificates
	start exim.sh "$D/exim" "$D/ca"
	export STORE=$D/exim/mail
}

@test "an unknown user is 67, and the others have it" {
	send --host 127.0.0.1 bob@example.test permfail@example.test \
		carol@example.test
	assert_equal "$status" 67
	run outcomes
	assert_output - <<-END
		bob@example.test delivered end 250
		permfail@example.test failed rcpt 550 5.1.1
		carol@example.test delivered end 250
	END
	"$SERVERS/waitfor" 30 stored "$BATS_TEST_NUMBER@client.test"
}

@test "all temporary is 75" {
	send --host 127.0.0.1 tempfail@example.test tempfail@plain.test
	assert_equal "$status" 75
	run outcomes
	assert_output - <<-END
		tempfail@example.test deferred rcpt 451 4.7.1
		tempfail@plain.test deferred rcpt 451 4.7.1
	END
}

@test "some accepted and some temporary is 69" {
	send --host 127.0.0.1 tempfail@example.test bob@example.test
	assert_equal "$status" 69
	run outcomes
	assert_output - <<-END
		tempfail@example.test deferred rcpt 451 4.7.1
		bob@example.test delivered end 250
	END
}

@test "the first that failed for good decides, not the temporary one" {
	send --host 127.0.0.1 tempfail@example.test policy@example.test \
		permfail@example.test
	assert_equal "$status" 77
	send --host 127.0.0.1 tempfail@example.test permfail@example.test \
		policy@example.test
	assert_equal "$status" 67
}

@test "content refused after the data is 77 for all" {
	send --host 127.0.0.1 content@example.test bob@example.test
	assert_equal "$status" 77
	run outcomes
	assert_output - <<-END
		content@example.test failed end 550 5.7.1
		bob@example.test failed end 550 5.7.1
	END
}

@test "a refusal that ends the connection is one recipient's" {
	send --host 127.0.0.1 bob@example.test drop@example.test \
		carol@example.test
	assert_equal "$status" 77
	run jq -c '[.recipients[] | [.outcome, .in_doubt]]' <<<"$output"
	assert_output '[["deferred",false],["failed",false],["deferred",false]]'
}

@test "a slow answer is waited for" {
	send --host 127.0.0.1 --timeout 20 slow@example.test
	assert_equal "$status" 0
}

@test "a slow answer beyond --timeout is temporary" {
	send --host 127.0.0.1 --timeout 1 slow@example.test
	assert_equal "$status" 75
}

@test "a report of success names envelope and recipient as we do" {
	local id='QQ 314+1=2'
	send -f alice@example.test --host 127.0.0.1 -N success \
		-R full -V "$id" bob@example.test
	assert_equal "$status" 0
	"$SERVERS/waitfor" 30 stored_with '^Original-Envelope-ID: QQ+20314+2B1+3D2$'
	run cat "$(stored_with '^Original-Envelope-ID: QQ+20314+2B1+3D2$')"
	assert_line 'Action: delivered'
	assert_line --partial 'bob@example.test'
}
