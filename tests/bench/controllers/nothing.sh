# shellcheck shell=bash
# No way of giving memory back: the balloon's driver, which reports free pages, is not there.
# title: nothing
# place: 0

controller_start()
{
	reporting_off
}

controller_stop()
{
	reporting_on
}
