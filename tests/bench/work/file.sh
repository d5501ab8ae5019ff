# shellcheck shell=bash
# Page cache: 600 MiB read once, beside 60 MiB that are read again every second.
# title: file read once
# kind: truth
# seconds: 75

work_start()
{
	local mib=$((600 * BENCH_SCALE / 100))
	cg_new "$APP"
	cg_run "$APP" filecold ${ORACLE:+--oracle} --status "$STATUS/app" /var/tmp/cold "$mib" /var/tmp/warm \
		$((60 * BENCH_SCALE / 100))
	WORK=$CG_PID
	wait_for 120 test -s "$STATUS/app" || fail "filecold did not start"
	kill -USR2 "$WORK"
}

work_figures()
{
	work_ask "$WORK" app || fail "filecold does not answer"
	jq -c '. + {cold_bytes: (.cold_pages * 4096), cold_file_bytes: (.cold_pages * 4096),
		cold_out_bytes: ((.cold_pages - .cold_cached) * 4096), hot_pages: .warm_pages,
		hot_refaults: (.warm_refetched / 4096 | floor), operations: .rounds}' "$STATUS/app"
}

work_stop()
{
	kill "$WORK"
	wait "$WORK" || fail "filecold found its files corrupt"
	rm -f /var/tmp/cold /var/tmp/warm
}
