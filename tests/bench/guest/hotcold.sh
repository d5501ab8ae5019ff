# shellcheck shell=bash
# What the works on tests/vm/work/hotcold.c share: MiB in WORK_TOTAL and WORK_HOT, at BENCH_SCALE per cent.

# hotcold_start LAYOUT [OPTION...]
hotcold_start()
{
	cg_new "$APP"
	cg_run "$APP" hotcold --layout "$1" --cold-after 5000 --status "$STATUS/app" ${ORACLE:+--oracle} "${@:2}" \
		$((WORK_TOTAL * BENCH_SCALE / 100)) $((WORK_HOT * BENCH_SCALE / 100))
	WORK=$CG_PID
	wait_for 120 test -s "$STATUS/app" || fail "hotcold did not start"
	kill -USR2 "$WORK" # faults and rounds count from here
}

# Seconds between two changes: there are two, each a little after a third of the time, so that what becomes of the
# last one is seen (a third change as the measurement ends would count what is cold for a second).
hotcold_every()
{
	echo $((BENCH_SECONDS / 3 + 3))
}

# What the driver reckons with: cold bytes that were there for the taking, those that were out at the
# end, pages in use and how many faults it took to have them back.
hotcold_figures()
{
	work_ask "$WORK" app || fail "hotcold does not answer"
	jq -c '. + {cold_bytes: (.cold_pages * 4096), cold_mean_bytes: (.cold_mean_pages * 4096), cold_out_bytes: (.cold_swapped * 4096), hot_refaults: .hot_majflt,
		operations: .rounds}' "$STATUS/app"
}

hotcold_stop()
{
	kill "$WORK"
	wait "$WORK" || fail "hotcold found its memory corrupt"
}
