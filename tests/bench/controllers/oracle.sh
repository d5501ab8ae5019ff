# shellcheck shell=bash
# Somebody who knows: works whose cold part is known by construction give it up themselves, at once; memory is compacted and reported
# down to pieces of 32 KiB. What the others are measured against.
# title: oracle
# place: 10
# works: truth
# shellcheck disable=SC2034 # read by the works
ORACLE=yes

compact_often()
{
	while sleep 3; do
		echo 1 >/proc/sys/vm/compact_memory
	done
}

controller_start()
{
	echo 3 >/sys/module/page_reporting/parameters/page_reporting_order
	controller_loop compact_often
}

controller_acted()
{
	echo "the work gave it up itself"
}

controller_stop()
{
	controller_loop_end
}
