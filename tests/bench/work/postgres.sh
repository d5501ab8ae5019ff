# shellcheck shell=bash
# PostgreSQL with 64 MiB of its own buffers and a database of 150 MiB: pgbench for a third of the time, then idle, then again.
# title: PostgreSQL
# kind: program
# seconds: 90
# prepare: 600
# shellcheck source=../guest/services.sh
. "$BENCH/guest/services.sh"
PG_MIB=150

work_start()
{
	cg_new "$APP"
	pg_start "$APP"
}

work_run()
{
	pg_clients $((BENCH_SECONDS / 3))
	sleep $((BENCH_SECONDS / 3))
	pg_clients $((BENCH_SECONDS / 3))
}

work_figures()
{
	pg_figures
}

work_stop()
{
	pg_stop
}
