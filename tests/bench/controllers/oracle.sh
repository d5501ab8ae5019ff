# shellcheck shell=bash
# Somebody who knows: works whose cold part is known by construction give it up themselves, at once, and every
# free page is reported, whatever its size. What the others are measured against.
# title: oracle
# place: 10
# works: truth
# shellcheck disable=SC2034 # read by the works
ORACLE=yes

controller_start()
{
	echo 0 >/sys/module/page_reporting/parameters/page_reporting_order
}

controller_acted()
{
	echo "the work gave it up itself"
}

controller_stop()
{
	:
}
