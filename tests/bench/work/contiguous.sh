# shellcheck shell=bash
# 800 MiB of which 200 stay in use, side by side.
# title: hot beside cold
# kind: truth
# quick: yes
# seconds: 60
# again: yes
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=200

work_start()
{
	hotcold_start contiguous
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
