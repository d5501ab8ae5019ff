# shellcheck shell=bash
# A search service on a JVM whose heap of 600 MiB is touched at the start (Elasticsearch's own settings: -Xms as -Xmx, AlwaysPreTouch, G1); 200 MiB of
# documents, a request every half second for words of which few are asked for often.
# title: JVM with a large heap
# kind: program
# seconds: 75
# prepare: 420
# shellcheck source=../guest/services.sh
. "$BENCH/guest/services.sh"
JVM_MIB=600

work_prepare()
{
	jvm_prepare
}

work_start()
{
	cg_new "$APP"
	jvm_start "$APP"
	jvm_clients
}

work_figures()
{
	jvm_figures
}

work_stop()
{
	jvm_rest
	jvm_stop
}
