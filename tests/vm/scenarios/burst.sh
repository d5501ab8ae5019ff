# A burst of 1 GiB in a VM that ebb has shrunk: no OOM kill, and what it costs beside a VM that was never shrunk. One that
# starts has its learned peak opened ahead of it; one that runs and suddenly grows gets the balloon back as it goes.
# Measured in CPU that the VM takes of the host until the burst has its memory, which a busy host does not change, and in
# the guest's own time; alternating: shrunk, full size with its memory still on the host (warm), and full size with
# what is free given back by reporting alone (cold), which is what the host takes to bring memory that it was given.
# kernels: -
# also: 6.12 7.2
# mem: 2G
# smp: 2
# broker: min=256M
# timeout: 6000

PAIRS=${PAIRS:-5}
BURST=1024 # MiB

broker_there()
{
	[ "$(ebb status -o json | jq -r .balloon.broker)" = true ]
}
# MiB in the balloon.
held()
{
	awk '/^balloon_inflate / { n += $2 } /^balloon_deflate / { n -= $2 } END { print int(n / 256) }' /proc/vmstat
}
stalls()
{
	awk '/^allocstall/ { n += $2 } END { print n + 0 }' /proc/vmstat
}
settled()
{
	ebb status -o json | jq -e '.balloon | (.reason == "follow") and .actual <= .need + .headroom + 16777216' >/dev/null
}
full()
{
	[ "$(held)" -le 8 ]
}
shrink()
{
	start_ebbd --verbose <<-CONF
		[ebb]
		cold_after = 20s
	CONF
	wait_for 30 broker_there || fail "no broker"
}
unshrink()
{
	stop_ebbd
	wait_for 15 full || fail "the balloon still has $(held) MiB"
}
# burst starting|growing ARM: milliseconds of CPU in CPU, of time in MS.
burst()
{
	local before=$(stalls) balloon cpu
	rm -f "$STATUS/burst"
	cpu=$(host_cpu)
	if [ "$1" = starting ]; then
		cg_new burst
		balloon=$(held)
		cg_run burst burn --status "$STATUS/burst" "$BURST"
	else
		balloon=$(held)
		kill -USR1 "$BURST_PID"
	fi
	wait_for 180 test -s "$STATUS/burst" || { ebb status; fail "the burst did not get its memory"; }
	CPU=$((($(host_cpu) - cpu) / 1000000)) MS=$(work_status burst fill_ms)
	note "$1 $2: $CPU ms of CPU, $MS of time; the balloon had $balloon MiB, has $(held); $(($(stalls) - before)) stalls; on the host $(host_rss_mib) MiB"
	host_data burst "{\"how\":\"$1\",\"arm\":\"$2\",\"cpu_ms\":$CPU,\"ms\":$MS,\"balloon\":$balloon,\"stalls\":$(($(stalls) - before))}"
	check "$(vmstat_of oom_kill) == 0" "nothing was killed"
	cg_del burst
}
waiting()
{
	cg_new burst
	cg_run burst burn --wait --status "$STATUS/burst" "$BURST"
	BURST_PID=$CG_PID
}
# More than the burst is touched and let go of: reporting waits 2 s before it begins.
warm()
{
	cg_new warm
	cg_run warm burn --status "$STATUS/warm" 1200
	wait_for 180 test -s "$STATUS/warm" || fail "the full size is not had"
	cg_del warm
	rm "$STATUS/warm"
}
# Of the numbers given, in percent: the median, the least and the most.
spread()
{
	printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1], v[NR] }'
}

thp never
for how in starting growing; do
	to_warm=() to_cold=() time_to_warm=()
	# The peak is learned, and the programs are in the page cache.
	shrink
	[ "$how" = growing ] || burst "$how" learning
	for ((pair = 0; pair < PAIRS; pair++)); do
		[ "$how" = starting ] || waiting
		wait_for 150 settled || { ebb status; note "the size has not settled"; }
		sleep 1
		burst "$how" shrunk
		shrunk=$CPU shrunk_ms=$MS
		unshrink
		[ "$how" = starting ] || waiting
		warm
		burst "$how" warm
		to_warm+=($((shrunk * 100 / CPU))) time_to_warm+=($((shrunk_ms * 100 / MS)))
		if [ "$how" = starting ]; then
			sleep 8
			burst "$how" cold
			to_cold+=($((shrunk * 100 / CPU)))
		fi
		shrink
	done
	read -r median least most < <(spread "${to_warm[@]}")
	note "$how: shrunk to warm $median% ($least to $most) of CPU: ${to_warm[*]}; of time: ${time_to_warm[*]}"
	results+=("$median")
	check_cmd "ebbd ends well" stop_ebbd
	[ "$how" = starting ] || continue
	read -r median least most < <(spread "${to_cold[@]}")
	note "$how: shrunk to cold $median% ($least to $most): ${to_cold[*]}"
done
check "${results[0]} <= 110" "one that starts costs at most 1.1 times what it costs in a VM that was never shrunk"
check "${results[1]} <= 110" "and so does one that grows to what it, or one like it, was before"
