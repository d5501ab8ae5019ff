# shellcheck shell=bash
# A Node service that starts heavily (300 MiB of pages rendered into memory) and then idles: a request every half second, for one of the pages.
# title: Node, starts and idles
# kind: program
# seconds: 60
# shellcheck source=../guest/services.sh
. "$BENCH/guest/services.sh"
NODE_MIB=300

work_start()
{
	cg_new "$APP"
	node_start "$APP"
	node_clients
}

work_figures()
{
	node_figures
}

work_stop()
{
	node_rest
	node_stop
}
