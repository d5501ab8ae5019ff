# shellcheck shell=bash
# 800 MiB, of which 400 are in use, half as many each minute later.
# title: hot set that shrinks
# kind: truth
# seconds: 180
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=400

work_start()
{
	hotcold_start contiguous --change shrink --every 60
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
