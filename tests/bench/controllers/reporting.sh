# shellcheck shell=bash
# Free page reporting as the kernel does it, and nobody who makes memory free.
# title: reporting alone
# place: 1

controller_start()
{
	:
}

controller_stop()
{
	:
}
