# shellcheck shell=bash
# Nobody who gives back, but a record of when each page is used: by which the most that could have been saved is known where nothing
# is cold by construction. Its own work disturbs the others', so it stands in no table.
# title: record of use
# place: 11
# works: program
# role: trace

controller_can()
{
	[ -e /sys/kernel/debug/lru_gen ] || mount -t debugfs debugfs /sys/kernel/debug
	[ -e /proc/kpagecgroup ] || echo "$(uname -r) shows no /proc/kpagecgroup"
}

controller_start()
{
	controller_loop exec usetrace --group "/$APP" --period 5 --out "$BENCH_OUT/trace"
}

# Before its handler is there the signal would end it.
trace_hears()
{
	((0x$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$CONTROLLER_PID/status") & 1 << 11))
}

controller_begin()
{
	wait_for 30 trace_hears || fail "usetrace does not begin"
	kill -USR2 "$CONTROLLER_PID"
}

controller_end()
{
	kill "$CONTROLLER_PID"
	wait "$CONTROLLER_PID" || fail "usetrace: it ended with an error"
}

controller_acted()
{
	jq -r '"looked \(.looks) times, \(.period_s) s apart"' "$BENCH_OUT/trace"
}

controller_stop()
{
	:
}
