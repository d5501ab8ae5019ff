# shellcheck shell=bash
# 800 MiB one 4K page in four of which stays in use: what is free lies between what is not.
# title: hot between cold
# kind: truth
# quick: yes
# seconds: 60
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=200

work_start()
{
	hotcold_start spread
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
