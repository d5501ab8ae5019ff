# A kernel that is starved: in a VM that ebb has made small, a container fills 20,000 pipes, which can be neither moved
# nor evicted, beside a hog. Containers start, exec into one, a stream and the lease go on, and allocations stall no
# more than in a VM that was never shrunk.
# kernels: -
# also: 6.12 7.2
# mem: 2G
# broker: min=256M,shrink=1G
# timeout: 900

status()
{
	ebb status -o json | jq -r ".balloon.$1"
}
broker_there()
{
	[ "$(status broker)" = true ]
}
holds()
{
	[ "$(held)" -ge "$1" ]
}
streamed()
{
	[ "$(cat /run/streamed 2>/dev/null)" = 1000000000 ]
}

# The same work each time; what it stalled goes to STALLS.
work()
{
	local before at=$SECONDS
	before=$(stalls)
	host_mark "$1"
	cg_new pipes
	cg_new hog
	cg_new stream
	cg_run pipes pipes --status "$STATUS/pipes" 20000
	cg_run hog burn --status "$STATUS/hog" 800
	rm -f /run/streamed
	cg_run stream sh -c 'head -c 1000000000 /dev/zero | wc -c >/run/streamed'
	podman_run new -- sleeper || fail "$1: no container starts"
	[ "$(podman exec new echo alive 9>&-)" = alive ] || fail "$1: no exec into a container"
	wait_for 120 test -s "$STATUS/pipes" || fail "$1: the pipes are not filled"
	wait_for 120 test -s "$STATUS/hog" || fail "$1: the hog did not get its memory"
	wait_for 120 streamed || fail "$1: the stream does not flow"
	STALLS=$(($(stalls) - before))
	note "$1: $((SECONDS - at)) s, $(work_status pipes pipes) pipes with $(($(work_status pipes bytes) >> 20)) MiB, $STALLS stalls, $(
		held) MiB in the balloon, $(($(meminfo MemFree) / 1024)) MiB free"
	podman_rm new
	cg_del stream
	cg_del hog
	cg_del pipes
	rm -f "$STATUS/pipes" "$STATUS/hog"
}

thp never
full=0 small=0 rounds=2
# The first is for its programs to be read.
for round in $(seq 0 "$rounds"); do
	work "never shrunk, $round"
	((round == 0)) || full=$((full + STALLS))
done
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 5s
CONF
wait_for 30 broker_there || fail "no broker: $(status why_not)"
links=$(grep -c 'ebb-broker answers' "$EBB_LOG")
for round in $(seq "$rounds"); do
	wait_for 180 holds 600 || { ebb status; fail "the VM does not shrink"; }
	shortage --status "$STATUS/short" &
	watch=$!
	work "shrunk, $round"
	rm -f "$STATUS/short"
	kill "$watch" && wait "$watch"
	note "$(cat "$STATUS/short")"
	rm -f "$STATUS/short"
	small=$((small + STALLS))
	kill -0 "$EBBD_PID" || fail "ebbd is gone"
done
check "$(grep -c 'ebb-broker answers' "$EBB_LOG") == $links" "the broker was there all the time: it was found once"
note "stalls: $full never shrunk, $small with ebb"
check "$small * 100 <= $full * 110" "no more allocations stall than in a VM that was never shrunk"
check "$(vmstat_of oom_kill) == 0" "nothing was killed"
check_cmd "ebbd ends well" stop_ebbd
