# shellcheck shell=bash
# assert.bash: what every .bats file needs.  bats-support, and bats-assert part
# by part, each when it is first called: to read all of it anew for each test
# takes longer than most tests.

# Some files empty folders of /etc and /var, which must not be the machine's.
[ -d /run/world/root ] || {
	echo 'run it as: tests/servers/world bats FILE' >&2
	exit 1
}

load /usr/lib/bats/bats-support/load

for part in assert{,_equal,_failure,_line,_not_equal,_output,_regex,_success} \
	refute{,_line,_output,_regex}; do
	eval "$part() {
		source /usr/lib/bats/bats-assert/src/$part.bash
		$part \"\$@\"
	}"
done
unset part
