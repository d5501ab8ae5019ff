# shellcheck shell=bash
# A Node service that starts heavily (300 MiB of pages rendered into memory) and then idles: a request every half second, for two of the pages.
# title: Node, starts and idles
# kind: program
# seconds: 120

# One request after the other; milliseconds of each, a line.
node_client()
{
	local begun took
	while sleep 0.5; do
		begun=${EPOCHREALTIME/./}
		exec 3<>/dev/tcp/127.0.0.1/8080
		printf 'GET /1 HTTP/1.0\r\n\r\n' >&3
		while IFS= read -r -N 65536 _ <&3; do :; done
		exec 3<&-
		took=$((${EPOCHREALTIME/./} - begun))
		echo "$((took / 1000)).$(printf %03d $((took % 1000)))"
	done
}

work_start()
{
	cg_new "$APP"
	cg_run "$APP" node /ebb/extra/work/service.js 8080 $((300 * BENCH_SCALE / 100)) 60 "$STATUS/node"
	WORK=$CG_PID
	wait_for 180 test -s "$STATUS/node" || fail "the Node service did not start"
	cg_new client
	(
		trap - ERR
		echo "$BASHPID" >"$CG/client/cgroup.procs"
		set +e
		node_client
	) >"$BENCH_OUT/latencies" 2>/dev/null 9>&- &
	CLIENT=$!
}

work_figures()
{
	sort -n "$BENCH_OUT/latencies" | awk '{ v[NR] = $1 }
		function q(share) { i = int(share * (NR - 1) + 1.5); return v[i > NR ? NR : i] }
		END { printf "{\"operations\":%d,\"p50_ms\":%s,\"p99_ms\":%s}\n", NR, q(0.5), q(0.99) }'
}

work_stop()
{
	kill "$CLIENT" "$WORK"
	wait "$CLIENT" "$WORK" || true
}
