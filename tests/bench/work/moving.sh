# shellcheck shell=bash
# 800 MiB, of which twice, a third of the time apart, another 200 are those in use.
# title: hot set that moves
# kind: truth
# seconds: 165
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=200

work_start()
{
	hotcold_start contiguous --change move --every "$(hotcold_every)"
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
