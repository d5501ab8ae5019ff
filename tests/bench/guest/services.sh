# shellcheck shell=bash
# The real programs of the works, each in a group of its own: NAME_start GROUP starts it and waits until it answers;
# NAME_clients begins to ask it, NAME_rest ends that, NAME_stop ends it. Sizes are MiB at BENCH_SCALE 100.

declare -A SERVICE CLIENT # pids

scaled()
{
	echo $(($1 * BENCH_SCALE / 100))
}

# client_run NAME FUNCTION...: in a group of its own, so that what it needs is not the service's.
client_run()
{
	local name=$1
	shift
	[ -d "$CG/client" ] || cg_new client
	(
		trap - ERR
		echo "$BASHPID" >"$CG/client/cgroup.procs"
		set +e
		"$@"
	) 2>/dev/null 9>&- &
	CLIENT[$name]=$!
}

client_end()
{
	[ -n "${CLIENT[$1]:-}" ] || return 0
	kill "${CLIENT[$1]}" 2>/dev/null || true
	wait "${CLIENT[$1]}" || true
	CLIENT[$1]=''
}

# service_end NAME [SIGNAL]
service_end()
{
	kill "-${2:-TERM}" "${SERVICE[$1]}"
	wait "${SERVICE[$1]}" || true
}

# latencies [FILE...]: lines of milliseconds to {operations, p50_ms, p99_ms}.
latencies()
{
	cat "$@" /dev/null 2>/dev/null | sort -n | awk '{ v[NR] = $1 }
		function q(share) { i = int(share * (NR - 1) + 1.5); return v[i > NR ? NR : i] + 0 }
		END { printf "{\"operations\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n", NR, q(0.5), q(0.99) }'
}

# http_client PORT MS PATH_FUNCTION: one request after the other, MS apart; milliseconds of each, a line.
http_client()
{
	local begun took page
	while sleep "$2"; do
		page=$("$3")
		begun=${EPOCHREALTIME/./}
		exec 3<>"/dev/tcp/127.0.0.1/$1" || continue
		printf 'GET /%s HTTP/1.0\r\n\r\n' "$page" >&3
		while IFS= read -r -N 65536 _ <&3; do :; done
		exec 3<&-
		took=$((${EPOCHREALTIME/./} - begun))
		echo "$((took / 1000)).$(printf %03d $((took % 1000)))"
	done
}

# --- Redis: REDIS_MIB in keys of 4 kB --------------------------------------------------------

redis_start()
{
	cg_run "$1" redis-server --port 6379 --bind 127.0.0.1 --save '' --appendonly no --dir /var/tmp >/dev/null
	SERVICE[redis]=$CG_PID
	wait_for 60 redis-cli ping || fail "redis does not answer"
	REDIS_KEYS=$(zipf fill 6379 "$(scaled "$REDIS_MIB")")
}

# 50 requests a second, few keys often (Zipf, 0.99).
redis_clients()
{
	[ -d "$CG/client" ] || cg_new client
	cg_run client zipf ask 6379 "$REDIS_KEYS" 50 --status "$STATUS/redis"
	CLIENT[redis]=$CG_PID
}

# What it measured so far, as latencies() has it.
redis_figures()
{
	work_ask "${CLIENT[redis]}" redis || fail "the client of redis does not answer"
	cat "$STATUS/redis"
}

redis_rest()
{
	kill "${CLIENT[redis]}"
	wait "${CLIENT[redis]}" || fail "redis gave a wrong answer"
	CLIENT[redis]=''
}

redis_stop()
{
	service_end redis
}

# --- Node: renders NODE_MIB of pages into memory, of which two are asked for -----------------

node_start()
{
	rm -f "$STATUS/node"
	cg_run "$1" node /ebb/extra/work/service.js 8080 "$(scaled "$NODE_MIB")" 60 "$STATUS/node"
	SERVICE[node]=$CG_PID
	wait_for 180 test -s "$STATUS/node" || fail "the Node service did not start"
}

node_page()
{
	echo 1
}

node_clients()
{
	client_run node http_client 8080 0.5 node_page >>"$BENCH_OUT/node"
}

node_figures()
{
	latencies "$BENCH_OUT/node"
}

node_rest()
{
	client_end node
}

node_stop()
{
	service_end node
}

# --- a JVM with a heap of JVM_MIB, all of it touched at the start, as search services are run -----

jvm_prepare()
{
	mkdir -p /var/tmp/jvm
	javac -d /var/tmp/jvm "$BENCH/guest/Index.java"
}

jvm_start()
{
	local mib
	mib=$(scaled "$JVM_MIB")
	rm -f "$STATUS/jvm"
	cg_run "$1" java "-Xms${mib}m" "-Xmx${mib}m" -XX:+AlwaysPreTouch -XX:+UseG1GC -cp /var/tmp/jvm Index 8081 \
		$((mib / 3)) 60 "$STATUS/jvm" >"$BENCH_OUT/jvm.log" 2>&1
	SERVICE[jvm]=$CG_PID
	wait_for 240 test -s "$STATUS/jvm" || fail "the JVM did not start: $(tail -n 1 "$BENCH_OUT/jvm.log")"
}

jvm_word()
{
	echo $((RANDOM % (1 + RANDOM % 200)))
}

jvm_clients()
{
	client_run jvm http_client 8081 0.5 jvm_word >>"$BENCH_OUT/jvm"
}

jvm_figures()
{
	latencies "$BENCH_OUT/jvm"
}

jvm_rest()
{
	client_end jvm
}

jvm_stop()
{
	service_end jvm
}

# --- PostgreSQL with 64 MiB of its own buffers and PG_MIB of database ------------------------

as_postgres()
{
	setpriv --reuid postgres --regid postgres --clear-groups env PATH="$PG:$PATH" "$@"
}

# pg_start GROUP: makes the database anew.
pg_start()
{
	PG=$(echo /usr/lib/postgresql/*/bin)
	install -d -o postgres -g postgres /var/tmp/pg
	as_postgres initdb -D /var/tmp/pg/data --no-sync -A trust >"$BENCH_OUT/initdb" 2>&1 || fail "initdb: $(tail -n 1 "$BENCH_OUT/initdb")"
	cg_run "$1" setpriv --reuid postgres --regid postgres --clear-groups "$PG/postgres" -D /var/tmp/pg/data -k /var/tmp/pg \
		-c shared_buffers=64MB -c fsync=off -c listen_addresses= >"$BENCH_OUT/postgres" 2>&1
	SERVICE[pg]=$CG_PID
	wait_for 60 as_postgres psql -h /var/tmp/pg -c 'select 1' || fail "postgres does not answer: $(tail -n 1 "$BENCH_OUT/postgres")"
	# pgbench's scale of 1 is 15 MiB.
	as_postgres pgbench -h /var/tmp/pg -i -q -s $((PG_MIB * BENCH_SCALE / 100 / 15)) postgres >"$BENCH_OUT/pgbench" 2>&1 ||
		fail "pgbench -i: $(tail -n 1 "$BENCH_OUT/pgbench")"
}

# pg_clients SECONDS: 20 transactions a second; returns when they are over.
pg_clients()
{
	(cd /var/tmp/pg && as_postgres pgbench -h /var/tmp/pg -n -S -R 20 -T "$1" -l postgres) >>"$BENCH_OUT/pgbench" 2>&1
}

# The third column of pgbench's log is what a transaction took, in us, since it was due.
pg_figures()
{
	local logs=(/var/tmp/pg/pgbench_log.*)
	awk '{ print $3 / 1000 }' "${logs[@]}" >"$BENCH_OUT/pg"
	latencies "$BENCH_OUT/pg"
}

pg_stop()
{
	service_end pg INT
	rm -rf /var/tmp/pg
}
