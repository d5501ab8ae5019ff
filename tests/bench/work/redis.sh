# shellcheck shell=bash
# Redis with 400 MiB in keys of 4 kB, asked 50 times a second for keys of which few are asked for often (Zipf, 0.99).
# title: Redis
# kind: program
# seconds: 75
# curves: yes
# again: yes
# shellcheck source=../guest/services.sh
. "$BENCH/guest/services.sh"
REDIS_MIB=400

work_start()
{
	cg_new "$APP"
	redis_start "$APP"
	redis_clients
}

work_run()
{
	kill -USR2 "${CLIENT[redis]}" # requests count from here
	sleep "$BENCH_SECONDS"
}

work_figures()
{
	redis_figures
}

work_stop()
{
	redis_rest
	redis_stop
}
