# shellcheck shell=bash
# The kernel's DAMON_RECLAIM: watermarks that let it work however much memory is free (as given, it rests below 50%), its documented
# quota of 10 ms a second otherwise, ten times that under emulation, where all takes ten times as long.
# title: DAMON_RECLAIM
# place: 4
# knob: min_age, seconds
# unit: s
# values: 5 10 30 60
# default: 10
# quick: 5
DAMON=/sys/module/damon_reclaim/parameters

controller_can()
{
	[ -d "$DAMON" ] || echo "$(uname -r) has no DAMON_RECLAIM"
}

# Another one of the kernel's own holds DAMON alone on kernels that start it at boot.
damon_free()
{
	local stat=/sys/module/damon_stat/parameters/enabled
	[ ! -e "$stat" ] || echo N >"$stat"
}

controller_start()
{
	damon_free
	echo $((BENCH_VALUE * 1000000)) >"$DAMON/min_age"
	echo 999 >"$DAMON/wmarks_high"
	echo 995 >"$DAMON/wmarks_mid"
	echo 1 >"$DAMON/wmarks_low"
	! emulated || echo 100 >"$DAMON/quota_ms"
	echo Y >"$DAMON/enabled"
}

controller_acted()
{
	local tried done_bytes
	tried=$(cat "$DAMON/bytes_reclaim_tried_regions")
	done_bytes=$(cat "$DAMON/bytes_reclaimed_regions")
	if ((tried > 0)); then
		echo "tried $((tried >> 20)) MiB, reclaimed $((done_bytes >> 20))"
	fi
}

controller_stop()
{
	echo N >"$DAMON/enabled"
}
