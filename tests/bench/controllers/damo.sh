# shellcheck shell=bash
# A scheme of Debian's damo, as its documentation has it for this: whatever region of physical memory nobody touched for so long is paged out.
# title: damo pageout
# place: 5
# knob: age, seconds
# unit: s
# values: 5 10 30 60
# default: 10
# quick: 5

controller_can()
{
	[ -d /sys/kernel/mm/damon/admin ] || echo "$(uname -r) has no DAMON"
}

damo_start()
{
	local stat=/sys/module/damon_stat/parameters/enabled
	[ ! -e "$stat" ] || echo N >"$stat"
	damo start --ops paddr --damos_access_rate 0 0 --damos_sz_region 4K max --damos_age "${BENCH_VALUE}s" max \
		--damos_action pageout >"$BENCH_OUT/damo.log" 2>&1 || fail "damo: $(tail -n 1 "$BENCH_OUT/damo.log")"
}

controller_start()
{
	damo_start
}

controller_acted()
{
	local kdamond=/sys/kernel/mm/damon/admin/kdamonds/0 bytes
	echo update_schemes_stats >"$kdamond/state"
	bytes=$(cat "$kdamond/contexts/0/schemes/0/stats/sz_applied")
	((bytes == 0)) || echo "paged out $((bytes >> 20)) MiB"
}

controller_stop()
{
	damo stop >/dev/null
}
