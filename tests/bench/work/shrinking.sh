# shellcheck shell=bash
# 800 MiB, of which 400 are in use, half as many after each third of the time.
# title: hot set that shrinks
# kind: truth
# seconds: 90
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=400

work_start()
{
	hotcold_start contiguous --change shrink --every $((BENCH_SECONDS / 3))
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
