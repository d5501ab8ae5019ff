# shellcheck shell=bash
# gcc and make on generated C for a third of the time, then nothing: what is left is page cache, and the group without a process.
# title: C build, then idle
# kind: program
# seconds: 75

work_prepare()
{
	mkdir -p /var/tmp/build
	# The compiler's own pages are nobody's first read: they are charged to the build.
	cp -r "$(dirname "$(gcc -print-prog-name=cc1)")" /var/tmp/build/compiler
}

work_start()
{
	cg_new "$APP"
}

work_run()
{
	local begun=$SECONDS
	cg_run "$APP" sh /ebb/extra/work/build.sh /var/tmp/build $((BENCH_SECONDS / 3)) 0 >"$BENCH_OUT/units"
	wait "$CG_PID" || fail "the build failed"
	host_mark "bench $BENCH_ID idle"
	sleep $((BENCH_SECONDS - (SECONDS - begun) > 1 ? BENCH_SECONDS - (SECONDS - begun) : 1))
}

work_figures()
{
	jq -c -n --argjson units "$(cat "$BENCH_OUT/units")" '{operations: $units}'
}

work_stop()
{
	rm -rf /var/tmp/build
}
