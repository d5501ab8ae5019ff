# With a broker the VM is never larger than the cap, whatever its containers ask for: no sample of its resident memory
# is more than 3% above it, and the balloon is not opened by a kill either.
# kernels: -
# also: 6.12 7.2
# mem: 2G
# broker: min=256M
# timeout: 500

CAP=1048576 # KiB

broker_there()
{
	[ "$(ebb status -o json | jq -r .balloon.broker)" = true ]
}
capped()
{
	[ "$(ebb status -o json | jq .balloon.actual)" -le $((CAP * 1024)) ]
}
# Of the VM on the host, KiB: five times a second, the most of it to a file.
watch_host()
{
	local held most=0
	while sleep 0.2; do
		held=$(host_rss)
		((held <= most)) || { most=$held && echo "$most" >/run/most; }
	done
}

thp never
watch_host &
watcher=$!
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 20s
	cap = 1G
CONF
wait_for 30 broker_there || fail "no broker"
wait_for 60 capped || { ebb status; fail "the VM is still larger than the cap"; }
cg_new a
cg_new b
podman_run c -- sleeper
podman_run d -- burn --status "$STATUS/d" 400
cg_run a burn --status "$STATUS/a" 600
cg_run b hotcold --status "$STATUS/b" 600 60
wait_for 240 test -s "$STATUS/a" -a -s "$STATUS/b" -a -s "$STATUS/d" || note "not all of them have got what they asked"
sleep 10
ebb list
ebb status
note "on the host at most $(($(cat /run/most) / 1024)) MiB, now $(host_rss_mib); compressed: $(($(zram_original) >> 20)) MiB in $(($(zram_used) >> 20))"
kill "$watcher"
check "$(cat /run/most) * 100 <= $CAP * 103" "the VM never held more than the cap and 3% on the host (KiB)"
check_cmd "nor is its size more now" capped
check "$(podman inspect --format '{{.State.Running}}' c | grep -c true) == 1" "the container that asked for nothing lives on"
check_cmd "ebbd lives on" kill -0 "$EBBD_PID"
check "$(vmstat_of oom_kill) == 0" "nothing was killed"
check_cmd "ebbd ends well" stop_ebbd
check "$(grep -c max "$CG"/a/memory.max "$CG"/b/memory.max | grep -c ':1') == 2" "and leaves no limit"
