# The VM's size follows what is needed: the balloon closes behind reclaim, opens before a burst without an OOM
# kill, and all of it when ebbd or its broker dies.
# kernels: 6.12
# also: 7.2
# mem: 2G
# broker: min=256M,shrink=512M
# timeout: 500

status()
{
	ebb status -o json | jq -r ".balloon.$1"
}
broker_there()
{
	[ "$(status broker)" = true ]
}
# The target is what is needed and headroom, the VM is that size, and the balloon is done.
settled()
{
	ebb status -o json | jq -e '.balloon | (.reason == "follow") and .target <= .need + .headroom + 11534336 and
		.actual - .target < 4194304' >/dev/null
}
holds()
{
	[ "$(held)" -ge "$1" ]
}
full()
{
	[ "$(held)" -le 8 ]
}
oom_kills()
{
	vmstat_of oom_kill
}

thp never
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 5s
CONF
wait_for 30 broker_there || fail "no broker: $(status why_not)"
cg_new app
cg_run app hotcold --status "$STATUS/app" 800 200
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
cold_is_taken()
{
	[ "$(ebb_of app reclaimed_total)" -ge $((500 << 20)) ]
}
# The cold part has to be taken first, which 45 s do; until then the balloon may not close over it.
wait_for 240 cold_is_taken || { ebb list; fail "the cold part is not taken"; }
wait_for 100 settled || { ebb status; fail "the size never settled"; }
sleep 5
ebb status
need=$(status need) headroom=$(status headroom) rss=$(host_rss)
note "on the host $((rss / 1024)) MiB; needed $((need >> 20)) and $((headroom >> 20)) of headroom; the balloon has $(held)"
check "$(held) >= 400" "the balloon has taken what is not needed (MiB)"
# Headroom is free memory that went back by itself: an eighth of RAM of it may still be there.
((headroom <= 256 << 20)) || headroom=$((256 << 20))
check "$rss * 100 <= ($need + $headroom) / 1024 * 115" "the host holds at most 15% more than is needed and headroom"
check "$(oom_kills) == 0" "nothing was killed"
ebb status -o json | jq -cM '.means, .balloon.resident'
check "$(ebb status -o json | jq '[.means[] | select(.name != "compaction" and .on)] | length') == 2" \
	"reporting and the balloon bring something"

# A burst of more than what is free.
cg_new burst
cg_run burst burn --status "$STATUS/burst" 1200
wait_for 120 test -s "$STATUS/burst" || { ebb status; fail "the burst did not get its memory"; }
check "$(oom_kills) == 0" "the burst killed nothing"
note "the balloon has $(held) MiB; stalls: $(stalls)"
# Empty for a while before it is removed: what is charged to it still is no second, smaller life.
cg_kill burst
sleep 3
cg_del burst

# Its end: small again. A broker that is killed leaves the VM as it is; the next one finds a lease within 3 s.
wait_for 120 holds 300 || { ebb status; fail "it does not shrink after the burst"; }
host do broker kill >/dev/null
sleep 2
host do broker start >/dev/null
wait_for 30 broker_there || fail "the broker that came back is not found"
sleep 5
check "$(held) >= 200" "a broker that comes back adopts the size"

# What it learns is written once a minute at most: what is not is lost with it.
burst_is_kept()
{
	jq -e 'any(.[]; .name == "burst")' /var/lib/ebb/peaks.json >/dev/null 2>&1
}

wait_for 70 burst_is_kept || fail "what the burst came to is not kept"

# ebbd dies without a word: all of it, at once.
kill -9 "$EBBD_PID"
wait "$EBBD_PID" || true
wait_for 15 full || fail "the balloon still has $(held) MiB 15 s after ebbd was killed"
check "$(held) <= 8" "full size after ebbd was killed"
start_ebbd --verbose <"$EBB_CONF"
wait_for 90 holds 250 || { ebb status; fail "it does not shrink after a restart"; }
host do broker stop >/dev/null
wait_for 15 full || fail "the balloon still has $(held) MiB 15 s after the broker stopped"
host do broker start >/dev/null
wait_for 90 holds 100 || fail "the broker that came back is not found"
check "$(oom_kills) == 0" "nothing was killed in all this"
check_cmd "ebbd ends well" stop_ebbd
check "$(jq '.[] | select(.name == "burst") | .bytes / 1048576 | floor' /var/lib/ebb/peaks.json) >= 1140" \
	"what the burst came to is known (MiB, as it was looked at last)"
check "$(grep -c zram /proc/swaps) == 0" "its swap is gone with it, whatever the balloon had"
wait_for 15 full || fail "the balloon still has $(held) MiB after ebbd ended"
