# SIGHUP: a configuration that is wrong, or does not fit what runs now, is refused with file and line, and the
# one in force stays; a good one is taken over.
# kernels: 6.12
# mem: 1G
# timeout: 60

cap_is()
{
	[ "$(ebb status -o json | jq -r '.. | .cap? // empty' | head -n 1)" = "$1" ]
}

# reload MESSAGE: of the log; the configuration on standard input
reload()
{
	cat >"$EBB_CONF"
	kill -HUP "$EBBD_PID"
	wait_for 10 grep -q "$1" "$EBB_LOG" || fail "ebbd does not say '$1': $(tail -n 3 "$EBB_LOG")"
	echo "  ok  $(grep "$1" "$EBB_LOG" | tail -n 1)"
}

start_ebbd <<<$'[ebb]\ncap = 900M'
check_cmd "the first is in force" cap_is 943718400
reload "$EBB_CONF:3: cap = 70.0M is below what runs now" <<<$'[ebb]\n\ncap = 70M'
check_cmd "the first is in force" cap_is 943718400
reload "$EBB_CONF:2: .*cold_afetr" <<<$'[ebb]\ncold_afetr = 5s\ncap = 800M'
check_cmd "the first is in force" cap_is 943718400
reload "$EBB_CONF:2: .*64.*G is above the RAM" <<<$'[ebb]\ncap = 64G'
reload 'compress = off takes effect when' <<<$'[ebb]\ncap = 800M\ncompress = off'
wait_for 10 grep -q 'configuration read again' "$EBB_LOG" || fail "a good one is not taken over"
check_cmd "a good one is taken over" cap_is 838860800
check_cmd "ebbd ends well" stop_ebbd
