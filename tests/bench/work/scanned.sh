# shellcheck shell=bash
# 800 MiB of which 200 stay in use; after each third of the time everything is read once.
# title: scan over everything
# kind: truth
# seconds: 75
# shellcheck source=../guest/hotcold.sh
. "$BENCH/guest/hotcold.sh"
WORK_TOTAL=800 WORK_HOT=200

work_start()
{
	hotcold_start contiguous --change scan --every $((BENCH_SECONDS / 3))
}

work_figures()
{
	hotcold_figures
}

work_stop()
{
	hotcold_stop
}
