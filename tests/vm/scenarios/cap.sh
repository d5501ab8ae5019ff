# Without a broker the cap is held inside: containers that ask for more than it meet the kernel's limits, the guest's
# own use never passes it, and nothing that was set for it stays.
# kernels: -
# also: 6.12 7.2
# mem: 2G
# timeout: 600

CAP=1048576 # KiB
PARENT=$CG/libpod_parent

# Two groups and what podman puts its containers in: 1.6 GiB wanted.
limits()
{
	local file
	for file in "$CG"/{a,b}/memory.max "$PARENT/memory.max"; do
		[ ! -e "$file" ] || echo "${file#"$CG"/} $(cat "$file")"
	done
}
# In use by the guest, KiB: five times a second, the most of them to a file.
watch_use()
{
	local used most=0
	while sleep 0.2; do
		used=$(awk '/^MemTotal/ { t = $2 } /^MemFree/ { f = $2 } END { print t - f }' /proc/meminfo)
		((used <= most)) || { most=$used && echo "$most" >/run/most; }
	done
}
# All of them have what they asked for; who looked on the way was told what holds them back.
served()
{
	[ -e /run/told ] || ! ebb list -o json | jq -e 'any(.[]; .reason == "cap")' >/dev/null || touch /run/told
	[ -s "$STATUS/a" ] && [ -s "$STATUS/b" ] && [ -s "$STATUS/d" ]
}
limited()
{
	! grep -q max "$CG/a/memory.max" "$CG/b/memory.max"
}
conf()
{
	printf '[ebb]\ncold_after = 20s\n%s\n' "$1"
}

thp never
cg_new a
cg_new b
echo 900M >"$CG/b/memory.max" # somebody's own limit
cg_run a sleeper
cg_run b sleeper
podman_run c -- sleeper
before=$(limits)
start_ebbd --verbose < <(conf "cap = 1G")
wait_for 30 limited || { ebb list; fail "no limits stand before anybody asks"; }
note "limits of the idle: $(limits | tr '\n' ' ')"
check "$(cg_get b memory.max) <= 943718400" "never above what somebody else had set"
watch_use &
watcher=$!
podman_run d -- burn --status "$STATUS/d" 400
cg_run a burn --status "$STATUS/a" 600
a=$CG_PID
cg_run b hotcold --status "$STATUS/b" 600 60
b=$CG_PID
wait_for 240 served || note "not all of them have got what they asked"
ebb list
ebb status
note "limits: $(limits | tr '\n' ' '); most in use: $(($(cat /run/most) / 1024)) MiB, now $((($(meminfo MemTotal) - $(meminfo MemFree)) / 1024))"
note "compressed: $(($(zram_original) >> 20)) MiB in $(($(zram_used) >> 20))"
most=$(cat /run/most)
[ "$most" -le $CAP ] || grep -E 'cap:|limit' "$EBB_LOG" | tail -n 150
check "$most <= $CAP" "the guest's own use never passed the cap (KiB)"
wait_for 10 host_falls_below $CAP || fail "the host still holds $(host_rss_mib) MiB"
check "$(host_rss) <= $CAP" "nor does the host hold more (KiB)"
check_cmd "who looked was told why" test -e /run/told
check "$(podman inspect --format '{{.State.Running}}' c | grep -c true) == 1" "the container that asked for nothing lives on"
check_cmd "ebbd lives on" kill -0 "$EBBD_PID"
check "$(vmstat_of oom_kill) == 0" "nothing was killed"

# kill -9: the next start takes them back, and sets its own.
kill -KILL "$EBBD_PID"
wait "$EBBD_PID" || true
start_ebbd < <(conf "")
[ "$before" = "$(limits)" ] || fail "left behind: $(limits | tr '\n' ' ')"
echo "  ok  nothing stays set after a kill and a restart"
kill "$a" "$b"
wait "$a" "$b" || true
podman_rm d
check_cmd "ebbd ends well" stop_ebbd

# An administrator's word stands; the rest goes at a clean stop, at a cap that is removed, and a raised one raises.
start_ebbd < <(conf "cap = 1G")
wait_for 30 limited || fail "no limits"
low=$(cg_get a memory.max)
conf "cap = 1.5G" >"$EBB_CONF"
kill -HUP "$EBBD_PID"
wait_for 20 eval "[ \$(cg_get a memory.max) -gt $low ]" || fail "a raised cap raises nothing"
echo 123M >"$CG/a/memory.max"
conf "" >"$EBB_CONF"
kill -HUP "$EBBD_PID"
wait_for 20 eval '[ "$(cg_get b memory.max)" = 943718400 ]' || fail "a removed cap leaves $(limits)"
check "$(cg_get a memory.max) == 128974848" "what an administrator set stands"
conf "cap = 1G" >"$EBB_CONF"
kill -HUP "$EBBD_PID"
wait_for 20 eval '! grep -q max "$PARENT/memory.max"' || fail "no limits after a second reload"
sleep 1
check "$(cg_get a memory.max) == 128974848" "and stands when there is a cap again"
check_cmd "ebbd ends well" stop_ebbd
[ "$(cg_get a memory.max)" = 128974848 ] || fail "what an administrator set is now $(cg_get a memory.max)"
echo max >"$CG/a/memory.max"
[ "$before" = "$(limits)" ] || fail "left behind: $(limits | tr '\n' ' ')"
echo "  ok  nothing stays set after a clean stop"
kill "$watcher"
podman_rm c
