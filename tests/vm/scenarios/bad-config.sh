# Wrong configurations: exit 2 with file and line, and nothing is touched.
# kernels: 6.12
# mem: 1G
# timeout: 60

# bad LINE PATTERN, the configuration on standard input
bad()
{
	local out rc=0
	cat >/run/bad.conf
	out=$(ebbd --config /run/bad.conf 2>&1) || rc=$?
	echo "    $out"
	check "$rc == 2" "exit 2"
	grep -q "/run/bad.conf:$1: .*$2" <<<"$out" || fail "no /run/bad.conf:$1 with '$2'"
	[ ! -e /run/ebb ] || fail "something was made"
	grep -q zram /proc/swaps && fail "swap was set up"
	return 0
}

bad 2 'cold_afetr' <<<$'[ebb]\ncold_afetr = 5s'
bad 2 'cold_after' <<<$'[ebb]\ncold_after = 5 parsecs'
bad 3 'cap' <<<$'[ebb]\n\ncap = 64G'
bad 2 'cap' <<<$'[ebb]\ncap = 16M'
bad 2 'below what runs' <<<$'[ebb]\ncap = 70M'
bad 1 '' </ebb/bin/ebb
bad 2 'container' <<<$'[ebb]\n[kontainer "x"]\nprotect = 1M'
check_cmd "a good one is good" ebbd --config /dev/null --check-config
rc=0
ebbd --config /run/none.conf 2>/run/out || rc=$?
check "$rc == 2" "a file that was named and is missing: exit 2"

mkdir -m 0777 /run/open-state
rc=0
ebbd --state-dir /run/open-state --runtime-dir /run/bad 2>/run/out || rc=$?
cat /run/out
check "$rc == 1" "a state folder that anybody may write to: exit 1"
grep -q 'chmod go-w /run/open-state' /run/out || fail "what to do is not said"
grep -q zram /proc/swaps && fail "swap was set up"
rm -rf /run/open-state

mkdir -p /run/bad
touch /run/bad/ebbd.sock
for dir in /run/bad "/run/$(printf 'long%.0s' {1..40})"; do
	rc=0
	ebbd --runtime-dir "$dir" 2>/run/out || rc=$?
	cat /run/out
	check "$rc == 1" "a socket that cannot be: exit 1"
	grep -q -e '--runtime-dir' /run/out || fail "what to do is not said"
done
check "$(stat -c %s /run/bad/ebbd.sock) == 0" "what was there is left alone"
rm -rf /run/bad

# What a run that was killed had set goes also where the next one cannot start.
order=/sys/module/page_reporting/parameters/page_reporting_order
before=$(cat "$order")
start_ebbd <<<'[ebb]'
set=$(cat "$order")
check "$set != $before" "ebbd has set something"
rc=0
ebbd --config /dev/stdin <<<$'[ebb]\ncap = 64G' 2>/run/out || rc=$?
check "$rc == 2 && $(cat "$order") == $set" "another one that cannot start leaves it to the one that runs"
kill -KILL "$EBBD_PID"
wait "$EBBD_PID" || true
rc=0
ebbd --config /dev/stdin <<<$'[ebb]\ncap = 64G' 2>/run/out || rc=$?
cat /run/out
check "$rc == 2" "exit 2"
grep -q 'settings undone' /run/out || fail "it does not say that it undid something"
check "$(cat "$order") == $before" "and what the killed one had set is undone"
start_ebbd <<<'[ebb]'
check_cmd "ebbd ends well" stop_ebbd
