# shellcheck shell=bash
# assert.bash: bats-support, and bats-assert part by part, each when it is first
# called: to read all of it anew for each test takes longer than most tests.

load /usr/lib/bats/bats-support/load

for part in assert{,_equal,_failure,_line,_not_equal,_output,_regex,_success} \
	refute{,_line,_output,_regex}; do
	eval "$part() {
		source /usr/lib/bats/bats-assert/src/$part.bash
		$part \"\$@\"
	}"
done
unset part
