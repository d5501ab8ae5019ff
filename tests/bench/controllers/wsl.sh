# shellcheck shell=bash
# Every so often the page cache is dropped and memory compacted, which is what WSL2 does (it waits for
# the VM to be idle besides).
# title: drop caches + compact
# place: 2
# knob: period, seconds
# unit: s
# values: 10 30
# default: 10
# quick: 10

drop_and_compact()
{
	while sleep "$BENCH_VALUE"; do
		echo 1 >/proc/sys/vm/drop_caches
		echo 1 >/proc/sys/vm/compact_memory
		echo >>"$BENCH_OUT/wsl"
	done
}

controller_start()
{
	: >"$BENCH_OUT/wsl"
	controller_loop drop_and_compact
}

controller_acted()
{
	echo "dropped and compacted $(wc -l <"$BENCH_OUT/wsl") times"
}

controller_stop()
{
	controller_loop_end
}
