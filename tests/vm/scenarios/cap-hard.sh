# The cap without a broker, over memory that does not compress: swap in memory gains nothing by it. Whoever asks for
# more than there is room for meets the kernel's limit in its own group; the guest's use never passes the cap, and
# the others live on, with swap for what does compress.
# kernels: -
# also: 6.12 7.2
# mem: 2G
# timeout: 700

CAP=1048576 # KiB

# In use by the guest, KiB: five times a second, the most of them to a file.
watch_use()
{
	local used most=0
	while sleep 0.2; do
		used=$(awk '/^MemTotal/ { t = $2 } /^MemFree/ { f = $2 } END { print t - f }' /proc/meminfo)
		((used <= most)) || { most=$used && echo "$most" >/run/most; }
	done
}
kills_in()
{
	awk '$1 == "oom_kill" { print $2 }' "$CG/$1/memory.events"
}
ended()
{
	! kill -0 "$1" 2>/dev/null
}
limited()
{
	! grep -q max "$CG/a/memory.max" "$CG/b/memory.max"
}
within_the_cap()
{
	note "$1: most in use $(($(cat /run/most) / 1024)) MiB, now $((($(meminfo MemTotal) - $(meminfo MemFree)) / 1024));" \
		"on the host $(host_rss_mib); compressed $(($(zram_original) >> 20)) in $(($(zram_used) >> 20))"
	[ "$(cat /run/most)" -le $CAP ] || grep -E 'cap:|limit' "$EBB_LOG" | tail -n 150
	check "$(cat /run/most) <= $CAP" "the guest's own use never passed the cap (KiB)"
	wait_for 10 host_falls_below $CAP || fail "the host still holds $(host_rss_mib) MiB"
	echo "  ok  the host is below it within 10 s ($(host_rss) KiB)"
}

thp never
cg_new a
cg_new b
cg_run a sleeper
cg_run b sleeper
quiet=$CG_PID
podman_run c -- sleeper
echo 700M >"$CG/b/memory.swap.max" # somebody's own
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 20s
	cap = 1G
CONF
wait_for 30 limited || { ebb list; fail "no limits stand before anybody asks"; }
watch_use &
watcher=$!

# Half as much again as there is, of random bytes.
cg_run a burn --random 100 --status "$STATUS/a" 1300
a=$CG_PID
if ! wait_for 240 ended "$a"; then
	ebb list
	ebb status
	grep -E 'cap:|limit' "$EBB_LOG" | tail -n 60
	fail "what cannot be had is still waited for"
fi
within_the_cap "1,300 MiB of random bytes"
check "$(kills_in a) == 1" "the kernel ended it"
check "$(vmstat_of oom_kill) == 1" "and nobody else"
check "$(grep -c Write-error <(dmesg)) == 0" "no write to swap failed"
check_cmd "its neighbour lives on" kill -0 "$quiet"
check "$(podman inspect --format '{{.State.Running}}' c | grep -c true) == 1" "and the container that asked for nothing"
check_cmd "ebbd lives on" kill -0 "$EBBD_PID"

# Beside one that keeps its 250, what compresses goes to swap as ever.
cg_run a burn --random 100 --status "$STATUS/a" 250
a=$CG_PID
wait_for 120 test -s "$STATUS/a" || fail "250 MiB cannot be had"
cg_run b burn --status "$STATUS/b" 800
b=$CG_PID
wait_for 200 test -s "$STATUS/b" || note "800 MiB are not had"
ebb list
within_the_cap "250 MiB of random bytes, and 800 that compress"
[ "$(vmstat_of oom_kill)" = 1 ] || grep -E 'cap:|limit' "$EBB_LOG" | tail -n 200
check "$(vmstat_of oom_kill) == 1" "nobody was ended"
kill -0 "$a" "$b"
note "swap: a $(cg_get a memory.swap.max), b $(cg_get b memory.swap.max)"

kill "$watcher"
check_cmd "ebbd ends well" stop_ebbd
[ "$(cat "$CG"/{a,b}/memory.max "$CG"/{a,b}/memory.swap.max | tr '\n' ' ')" = "max max max 734003200 " ] ||
	fail "left behind: $(cat "$CG"/{a,b}/memory.max "$CG"/{a,b}/memory.swap.max | tr '\n' ' ')"
echo "  ok  nothing stays set"
podman_rm c
