# shellcheck shell=bash
# PostgreSQL with 64 MiB of its own buffers and a database of 150 MiB: pgbench for a third of the time, then idle, then again.
# title: PostgreSQL
# kind: program
# seconds: 120
# prepare: 600

as_postgres()
{
	setpriv --reuid postgres --regid postgres --clear-groups env PATH="$PG:$PATH" "$@"
}

work_start()
{
	PG=$(echo /usr/lib/postgresql/*/bin)
	cg_new "$APP"
	install -d -o postgres -g postgres /var/tmp/pg
	as_postgres initdb -D /var/tmp/pg/data --no-sync -A trust >"$BENCH_OUT/initdb" 2>&1 || fail "initdb: $(tail -n 1 "$BENCH_OUT/initdb")"
	cg_run "$APP" setpriv --reuid postgres --regid postgres --clear-groups "$PG/postgres" -D /var/tmp/pg/data -k /var/tmp/pg \
		-c shared_buffers=64MB -c fsync=off -c listen_addresses= >"$BENCH_OUT/postgres" 2>&1
	WORK=$CG_PID
	wait_for 60 as_postgres psql -h /var/tmp/pg -c 'select 1' || fail "postgres does not answer: $(tail -n 1 "$BENCH_OUT/postgres")"
	as_postgres pgbench -h /var/tmp/pg -i -q -s $((10 * BENCH_SCALE / 100)) postgres >"$BENCH_OUT/pgbench" 2>&1 ||
		fail "pgbench -i: $(tail -n 1 "$BENCH_OUT/pgbench")"
}

pgbench_for()
{
	(cd /var/tmp/pg && as_postgres pgbench -h /var/tmp/pg -n -S -R 20 -T "$1" -l postgres) >>"$BENCH_OUT/pgbench" 2>&1
}

work_run()
{
	pgbench_for $((BENCH_SECONDS / 3))
	sleep $((BENCH_SECONDS / 3))
	pgbench_for $((BENCH_SECONDS / 3))
}

work_figures()
{
	# The third column of pgbench's log is what a transaction took, in us, since it was due.
	cat /var/tmp/pg/pgbench_log.* | sort -n -k 3 | awk '{ v[NR] = $3 / 1000 }
		function q(share) { i = int(share * (NR - 1) + 1.5); return v[i > NR ? NR : i] }
		END { printf "{\"operations\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n", NR, q(0.5), q(0.99) }'
}

work_stop()
{
	kill -INT "$WORK"
	wait "$WORK" || true
	rm -rf /var/tmp/pg
}
