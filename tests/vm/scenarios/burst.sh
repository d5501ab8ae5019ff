# A burst of 1 GiB in a VM that ebb has shrunk: no OOM kill, and what it costs beside a VM that was never shrunk. One that
# starts has its learned peak opened ahead of it; one that runs and suddenly grows gets the balloon back as it goes.
# Measured in the guest's time, which is the number of instructions of both its CPUs where it is emulated, and in CPU that
# the VM takes of the host: that has the host's part in it, and its noise. Alternating: shrunk, full size with the memory
# of the last burst still on the host (warm), which is so for the two seconds before reporting begins, and full size with
# what is free given back by reporting alone (cold). It is the cold one that the shrunk one is held against: what the
# host takes to bring memory that it was given, it takes whoever gave it, and cold to warm says how much that is.
# kernels: -
# also: 6.12 7.2
# mem: 2G
# smp: 2
# icount: 1
# broker: min=256M
# timeout: 6000

PAIRS=${PAIRS:-5}
BURST=1024 # MiB

broker_there()
{
	[ "$(ebb status -o json | jq -r .balloon.broker)" = true ]
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
	local before=$(stalls) balloon cpu own=$(ebbd_ticks 2>/dev/null || echo 0)
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
	own=$((10 * ($(ebbd_ticks 2>/dev/null || echo 0) - own)))
	note "$1 $2: $CPU ms of CPU ($own of ebbd), $MS of time; the balloon had $balloon MiB, has $(held); $(($(stalls) - before)) stalls; on the host $(host_rss_mib) MiB"
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
# Of the percentages given: the median, in MEDIAN, the least and the most.
spread()
{
	local least most
	read -r MEDIAN least most < <(printf '%s\n' "${@:2}" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1], v[NR] }')
	note "$1: $MEDIAN% ($least to $most): ${*:2}"
}

thp never
for how in ${HOWS:-starting growing}; do
	to_warm=() to_cold=() cpu_to_cold=() cpu_cold_to_warm=()
	# The peak is learned, and the programs are in the page cache.
	shrink
	[ "$how" = growing ] || burst "$how" learning
	for ((pair = 0; pair < PAIRS; pair++)); do
		[ "$how" = starting ] || waiting
		wait_for 150 settled || { ebb status; fail "the size does not settle"; }
		check "$(held) >= 256" "the VM is shrunk"
		sleep 1
		burst "$how" shrunk
		shrunk=$CPU shrunk_ms=$MS
		unshrink
		[ "$how" = starting ] || waiting
		warm
		burst "$how" warm
		warm=$CPU warm_ms=$MS
		[ "$how" = starting ] || waiting
		sleep 8
		burst "$how" cold
		to_warm+=($((shrunk_ms * 100 / warm_ms))) to_cold+=($((shrunk_ms * 100 / MS)))
		cpu_to_cold+=($((shrunk * 100 / CPU))) cpu_cold_to_warm+=($((CPU * 100 / warm)))
		shrink
	done
	check_cmd "ebbd ends well" stop_ebbd
	spread "$how, CPU: cold to warm" "${cpu_cold_to_warm[@]}"
	spread "$how, CPU: shrunk to cold" "${cpu_to_cold[@]}"
	check "$MEDIAN <= 130" "in CPU of the host, noise and all, one that is $how costs at most 1.3 times as much"
	spread "$how, the guest's time: shrunk to warm" "${to_warm[@]}"
	check "$MEDIAN <= 110" "one that is $how takes at most 1.1 times the guest's time that it takes beside warm memory"
	spread "$how, the guest's time: shrunk to cold" "${to_cold[@]}"
	check "$MEDIAN <= 110" "one that is $how takes at most 1.1 times the guest's time that it takes in a VM that was never shrunk"
done
