# shellcheck shell=bash
# Redis, PostgreSQL, Node, a JVM, a C build and a job that comes and goes, a container each, as one day: all start, work, idle, a burst, and one after the other ends.
# title: a day of all of them
# kind: program
# seconds: 150
# prepare: 900
# mem: 3G
# shellcheck source=../guest/services.sh
. "$BENCH/guest/services.sh"
REDIS_MIB=200 NODE_MIB=200 JVM_MIB=400 PG_MIB=90
BURST_MIB=400

day_mark()
{
	host_mark "bench $BENCH_ID day $1"
}

work_prepare()
{
	jvm_prepare
	mkdir -p /var/tmp/build
	cp -r "$(dirname "$(gcc -print-prog-name=cc1)")" /var/tmp/build/compiler
}

work_start()
{
	local name
	cg_new "$APP"
	for name in redis postgres node jvm build batch; do
		cg_new "$APP/$name"
	done
	pg_start "$APP/postgres"
}

day_build()
{
	cg_run "$APP/build" sh /ebb/extra/work/build.sh /var/tmp/build "$1" "$2" >>"$BENCH_OUT/units"
	BUILD=$CG_PID
}

day_asks()
{
	redis_clients
	node_clients
	jvm_clients
}

day_rests()
{
	redis_figures >>"$BENCH_OUT/redis"
	redis_rest
	node_rest
	jvm_rest
}

# Each phase is a part of the seconds; starting takes what it takes.
day_start()
{
	day_mark start
	redis_start "$APP/redis"
	node_start "$APP/node"
	jvm_start "$APP/jvm"
}

day_work()
{
	day_mark work
	day_build $((BENCH_SECONDS / 6)) 0
	day_asks
	pg_clients $((BENCH_SECONDS / 4))
	wait "$BUILD" || fail "the build failed"
	day_rests
}

day_burst()
{
	day_mark burst
	cg_run "$APP/batch" burn --status "$STATUS/burn" "$(scaled "$BURST_MIB")"
	BATCH=$CG_PID
	day_asks
	pg_clients $((BENCH_SECONDS / 6))
	day_rests
	kill "$BATCH"
	wait "$BATCH" || true
}

# A group is gone with what ran in it, as an engine has it.
day_exit()
{
	local name
	day_mark exit
	for name in build batch jvm redis node; do
		case $name in
		jvm | redis | node) "${name}_stop" ;;
		esac
		container_counters "$name"
		# The record knows a page by its group.
		[ "$BENCH_CONTROLLER" = trace ] || cg_del "$APP/$name"
		sleep $((BENCH_SECONDS / 25))
	done
}

work_run()
{
	day_start
	day_work
	day_mark idle
	sleep $((BENCH_SECONDS / 4))
	day_burst
	day_exit
}

# Of the group as a whole there is no latency; of each service there is.
work_figures()
{
	jq -c -n --slurpfile redis "$BENCH_OUT/redis" --argjson postgres "$(pg_figures)" --argjson node "$(node_figures)" \
		--argjson jvm "$(jvm_figures)" --slurpfile units "$BENCH_OUT/units" \
		'{services: {redis: {operations: ($redis | map(.operations) | add), p50_ms: ($redis | map(.p50_ms) | max),
				p99_ms: ($redis | map(.p99_ms) | max)},
			postgres: $postgres, node: $node, jvm: $jvm, build: {operations: ($units | add)}}}
		| .operations = ([.services[].operations] | add)'
}

work_stop()
{
	pg_stop
	container_counters postgres
}
