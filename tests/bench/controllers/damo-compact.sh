# shellcheck shell=bash
# damo pageout, and memory is compacted every 10 s: what the scheme brings once somebody gathers what it freed. Nobody advises it; it is
# there to tell the two apart.
# title: damo pageout + compact
# place: 6
# short: no
# works: truth
# knob: age, seconds
# unit: s
# values: 5 10 30 60
# default: 10
# quick: 5
# shellcheck source=damo.sh
. "$BENCH/controllers/damo.sh"

compact_often()
{
	while sleep 10; do
		echo 1 >/proc/sys/vm/compact_memory
	done
}

controller_start()
{
	damo_start
	controller_loop compact_often
}

controller_stop()
{
	controller_loop_end
	damo stop >/dev/null
}
