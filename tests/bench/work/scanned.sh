# shellcheck shell=bash
# 800 MiB of which 200 stay in use; twice, a third of the time apart, everything is read once.
# title: scan over everything
# kind: truth
# seconds: 165
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=200

work_start()
{
	hotcold_start contiguous --change scan --every "$(hotcold_every)"
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
