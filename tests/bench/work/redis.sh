# shellcheck shell=bash
# Redis with 400 MiB in keys of 4 kB, asked 50 times a second for keys of which few are asked for often (Zipf, 0.99).
# title: Redis
# kind: program
# seconds: 180

work_start()
{
	local keys
	cg_new "$APP"
	cg_run "$APP" redis-server --port 6379 --bind 127.0.0.1 --save '' --appendonly no --dir /var/tmp >/dev/null
	WORK=$CG_PID
	wait_for 60 redis-cli ping || fail "redis does not answer"
	keys=$(zipf fill 6379 $((400 * BENCH_SCALE / 100)))
	cg_new client
	cg_run client zipf ask 6379 "$keys" 50 --status "$STATUS/client"
	CLIENT=$CG_PID
}

work_run()
{
	kill -USR2 "$CLIENT" # requests count from here
	sleep "$BENCH_SECONDS"
}

work_figures()
{
	work_ask "$CLIENT" client || fail "the client does not answer"
	cat "$STATUS/client"
}

work_stop()
{
	kill "$CLIENT"
	wait "$CLIENT" || fail "redis gave a wrong answer"
	kill "$WORK"
	wait "$WORK" || true
}
