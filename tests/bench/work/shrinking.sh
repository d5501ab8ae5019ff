# shellcheck shell=bash
# 800 MiB, of which 400 are in use, twice, a third of the time apart, half as many.
# title: hot set that shrinks
# kind: truth
# seconds: 105
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=400

work_start()
{
	hotcold_start contiguous --change shrink --every "$(hotcold_every)"
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
