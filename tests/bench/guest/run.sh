# shellcheck shell=bash
# One run: one controller beside one work, from a machine at rest until the work has gone. The
# scenario that the driver makes sets BENCH_CONTROLLER, BENCH_VALUE, BENCH_WORK, BENCH_SECONDS,
# BENCH_AFTER and BENCH_SCALE, and BENCH_ID, under which the results are found again.
#
# A controller has controller_start and controller_stop, a work has work_start, work_figures (a JSON
# object) and work_stop; what else they may have stands below, with what it is without them. A work
# of several containers says container_counters NAME before it removes one.

BENCH=/ebb/extra/bench
APP=app # the work's group
CONTROLLER_GROUP=system.slice/controller.service
BENCH_OUT=/run/bench
# shellcheck disable=SC2034 # read by the works
ORACLE='' # not empty: works whose cold part is known give it up themselves

# A reason, where this kernel or machine cannot; nothing where it can.
controller_can()
{
	:
}

# At the moments when what is measured begins and ends.
controller_begin()
{
	:
}

controller_end()
{
	:
}

# What it did, in words; nothing where it did nothing.
controller_acted()
{
	:
}

# What the work needs before the machine comes to rest: what it compiles, say.
work_prepare()
{
	:
}

# What the work does while it is measured.
work_run()
{
	sleep "$BENCH_SECONDS"
}

# controller_loop COMMAND...: in a group of its own, so that its CPU time is known.
controller_loop()
{
	mkdir -p "$CG/$CONTROLLER_GROUP"
	(
		trap - ERR
		echo "$BASHPID" >"$CG/$CONTROLLER_GROUP/cgroup.procs"
		"$@"
	) 9>&- &
	CONTROLLER_PID=$!
}

controller_loop_end()
{
	kill -KILL "$CONTROLLER_PID" 2>/dev/null || true
	wait "$CONTROLLER_PID" 2>/dev/null || true
}

# Where the balloon's driver is unbound, free memory is not reported to the host.
reporting_off()
{
	local dev
	for dev in /sys/bus/virtio/drivers/virtio_balloon/virtio*; do
		echo "${dev##*/}" >/sys/bus/virtio/drivers/virtio_balloon/unbind
		BALLOON=${dev##*/}
	done
}

reporting_on()
{
	[ -z "${BALLOON:-}" ] || echo "$BALLOON" >/sys/bus/virtio/drivers/virtio_balloon/bind
	BALLOON=''
}

# The counters of this moment as one JSON object: of the work's group, the controller's, the
# kernel's threads (ms of CPU) and the machine.
bench_counters()
{
	local name files=("$CG/$APP/memory.stat" "$CG/$APP/cpu.stat" "$CG/$APP/memory.pressure" "$CG/$APP/io.pressure"
		"$CG/$CONTROLLER_GROUP/cpu.stat" /proc/vmstat /proc/stat)
	for name in /sys/block/zram*/mm_stat; do
		[ ! -e "$name" ] || files+=("$name")
	done
	{
		for name in "${files[@]}"; do
			[ ! -r "$name" ] || sed "s|^|$name |" "$name"
		done
		cat /proc/[0-9]*/stat 2>/dev/null | sed 's|^|thread |' || true
	} | awk -v app="$CG/$APP/" -v controller="$CG/$CONTROLLER_GROUP/" -f "$BENCH/guest/counters.awk"
}

# container_counters NAME: what came back in this one of the work's groups, and how large it has been.
container_counters()
{
	jq -c -n --arg name "$1" --argjson majflt "$(cg_stat "$APP/$1" pgmajfault)" \
		--argjson anon "$(cg_stat "$APP/$1" workingset_refault_anon)" \
		--argjson file "$(cg_stat "$APP/$1" workingset_refault_file)" \
		--argjson stall "$(awk '$1 == "some" { sub(/total=/, "", $NF); print $NF }' "$CG/$APP/$1/memory.pressure")" \
		--argjson peak "$(cg_get "$APP/$1" memory.peak)" \
		'{name: $name, majflt: $majflt, refaults: ($anon + $file), stall_us: $stall, peak: $peak}' >>"$BENCH_OUT/containers"
}

bench_begin()
{
	thp "${WORK_THP:-never}"
	zram_swap "${WORK_SWAP:-1024}" lz4
	drop_caches
	echo 1 >/proc/sys/vm/compact_memory
	host_settles
	BASE=$(host_rss)
	host_mark "bench $BENCH_ID base"
}

# The controller is there before the work, as it would be.
bench_measure()
{
	controller_start
	work_start
	controller_begin
	host_mark "bench $BENCH_ID begin"
	bench_counters >"$BENCH_OUT/before"
	work_run
	bench_counters >"$BENCH_OUT/after"
	host_mark "bench $BENCH_ID end"
	controller_end
	work_figures >"$BENCH_OUT/work"
	ACTED=$(controller_acted)
	work_stop
	host_mark "bench $BENCH_ID gone"
	sleep "$BENCH_AFTER"
	host_mark "bench $BENCH_ID over"
}

bench_report()
{
	jq -c -n --arg id "$BENCH_ID" --argjson base "$BASE" --arg acted "$ACTED" --arg kernel "$(uname -r)" \
		--argjson emulated "$(emulated && echo true || echo false)" \
		--slurpfile before "$BENCH_OUT/before" --slurpfile after "$BENCH_OUT/after" \
		--slurpfile work "$BENCH_OUT/work" --slurpfile containers "$BENCH_OUT/containers" \
		--slurpfile trace "$BENCH_OUT/trace" \
		'{id: $id, base_kib: $base, acted: $acted, kernel: $kernel, emulated: $emulated,
		before: $before[0], after: $after[0], work: $work[0], containers: $containers,
		trace: $trace[0]}' >"$BENCH_OUT/result"
	host_data bench "$(cat "$BENCH_OUT/result")"
	note "$BENCH_ID: ${ACTED:-did nothing}"
}

# shellcheck source=/dev/null
. "$BENCH/controllers/$BENCH_CONTROLLER.sh"
# shellcheck source=/dev/null
. "$BENCH/work/$BENCH_WORK.sh"

why=$(controller_can)
[ -z "$why" ] || skip "$why"
mkdir -p "$BENCH_OUT"
: >"$BENCH_OUT/containers"
: >"$BENCH_OUT/trace"
work_prepare
bench_begin
bench_measure
bench_report
controller_stop
