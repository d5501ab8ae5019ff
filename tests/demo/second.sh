# shellcheck shell=bash
# The demo's second VM: a job in it takes memory for a while, which the first has to give. Run by tests/vm/run.
# timeout: 100800
#
# DEMO_SECONDS, DEMO_COLD  as in guest.sh
# DEMO_BEGIN               when the first VM's scenario began, ns of the host's clock

length=${DEMO_SECONDS:-240}

scaled()
{
	echo $(($1 * length / 240))
}
# Until so many seconds after the beginning of the demo.
until_moment()
{
	local now=$((($(host_time) - DEMO_BEGIN) / 1000000000))
	((now >= $1)) || sleep $(($1 - now))
}
tell()
{
	host_data event "{\"event\":\"note\",\"name\":\"second VM\",\"text\":\"$1\"}"
}

start_ebbd <<-CONF
	[ebb]
	cold_after = ${DEMO_COLD:-10}s
CONF
drop_caches
tell 'is up, with an ebbd of its own'
mib=$(scaled 400)
((mib <= 400)) || mib=400
((mib >= 150)) || mib=150
until_moment "$(scaled 80)"
tell "a job there takes $mib MiB"
cg_new batch
cg_run batch burn --status "$STATUS/batch" "$mib"
wait_for "$length" test -s "$STATUS/batch" || fail 'the job did not get its memory'
tell 'its job has its memory, and leaves it idle'
until_moment "$(scaled 185)"
cg_del batch
tell 'its job ends'
# The demo ends it.
sleep "$length"
