# shellcheck shell=bash
# A process of 800 MiB that keeps touching 200 of them, under ebbd: how much of the rest goes, what
# that costs the part in use, and what of it arrives on the host.

# cold_part_start LAYOUT THP: ebbd and the process; sets WORK (pid) and FULL (KiB on the host).
cold_part_start()
{
	thp "$2"
	start_ebbd <<-CONF
		[ebb]
		cold_after = 5s
	CONF
	cg_new app
	cg_run app hotcold --layout "$1" --cold-after 5000 --status "$STATUS/app" 800 200
	WORK=$CG_PID
	wait_for 90 test -s "$STATUS/app" || fail "hotcold did not start"
	FULL=$(host_rss)
	kill -USR2 "$WORK" # faults count from here
	host_mark "800 MiB, 200 in use ($1, huge pages $2)"
}

cold_part_look()
{
	work_ask "$WORK" app || fail "hotcold does not answer"
	COLD_OUT=$(work_status app cold_swapped)
	COLD_ALL=$(work_status app cold_pages)
	HOT_FAULTS=$(work_status app hot_majflt)
	HOT_ALL=$(work_status app hot_pages)
}

cold_is_out()
{
	cold_part_look
	((COLD_OUT * 100 >= COLD_ALL * 95))
}

# What left the process, less what it takes compressed: KiB that the host can get.
cold_part_gain()
{
	echo $(($(cg_get app memory.swap.current) / 1024 - $(zram_used) / 1024))
}

# cold_part_returned PERCENT: of the gain, on the host.
cold_part_returned()
{
	FELL=$((FULL - $(host_rss)))
	GAIN=$(cold_part_gain)
	((FELL * 100 >= GAIN * $1))
}

cold_part_verify()
{
	rm -f "$STATUS/app"
	kill -HUP "$WORK"
	wait_for 120 test -s "$STATUS/app" || fail "no verification"
	check "$(work_status app corrupt) == 0" "every byte is as it was"
	kill "$WORK"
	check_cmd "and the process ends well" wait "$WORK"
}

# cold_part LAYOUT THP: the whole of it, where the cold part can be seen.
cold_part()
{
	local begun limit all=180
	# A minute is what it may take. Emulation, though, has no time of its own: there the figure is printed.
	emulated || all=60
	cold_part_start "$1" "$2"
	begun=$SECONDS
	wait_for "$all" cold_is_out || true
	note "after $((SECONDS - begun)) s: $COLD_OUT of $COLD_ALL cold pages out, $HOT_FAULTS hot ones faulted back"
	limit=$((all - (SECONDS - begun)))
	# As it is then: reporting may be under way, and what looks at it takes a few MiB itself.
	wait_for $((limit > 20 ? limit : 20)) cold_part_returned 85 || true
	cold_part_look
	ebb list || true
	ebb status | grep -E 'host|Taken|Returned|Compaction' || true
	note "free $(meminfo MemFree) KiB, file $(meminfo Cached), slab $(meminfo Slab), zram $(($(zram_used) / 1024)): $(
		tr '\n' ' ' </proc/buddyinfo | tr -s ' ')"
	note "host: $((FULL / 1024)) MiB before, $((FELL / 1024)) MiB less after $((SECONDS - begun)) s; to be had: $((GAIN / 1024)) MiB"
	check "$COLD_OUT * 100 >= $COLD_ALL * 95" "at least 95% of the cold part is out of its memory"
	note "hot pages back: $HOT_FAULTS of $HOT_ALL in use, $(work_status app late_majflt) after the machine stood still; untouched for $(
		work_status app worst_gap_ms) ms at the longest"
	check "$HOT_FAULTS * 1000 <= $HOT_ALL * 5" "at most 5 in 1000 of the hot pages were faulted back"
	check "$FELL * 100 >= $GAIN * 85" "the host has at least 85% of what was taken, less what it takes compressed"
	cold_part_verify
	check_cmd "ebbd ends well" stop_ebbd
}
