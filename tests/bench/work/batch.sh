# shellcheck shell=bash
# A job that comes for ten seconds, takes 400 MiB and goes, three times.
# title: job that comes and goes
# kind: program
# seconds: 60

work_start()
{
	cg_new "$APP"
}

work_run()
{
	local n
	for n in 1 2 3; do
		rm -f "$STATUS/burn"
		cg_run "$APP" burn --status "$STATUS/burn" $((400 * BENCH_SCALE / 100))
		wait_for 120 test -s "$STATUS/burn" || fail "the job did not start"
		sleep 10
		kill "$CG_PID"
		wait "$CG_PID" || true
		host_mark "bench $BENCH_ID gone $n"
		sleep $((BENCH_SECONDS / 3 - 10 > 1 ? BENCH_SECONDS / 3 - 10 : 1))
	done
}

work_figures()
{
	echo '{"operations":3}'
}

work_stop()
{
	:
}
