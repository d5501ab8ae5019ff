# A container of which one part is cold and the other is squeezed into half of what it uses: the kernel's
# trigger wakes ebbd, and for that reason the cold part stays; its neighbour is not concerned.
# kernels: -
# also: 6.1 6.12 7.2
# mem: 1G
# timeout: 300

# With cgroups inside of it, as systemd in a container has them; an engine's path makes them one container.
BOX=docker/$(printf 'ab%.0s' {1..32})

box()
{
	ebb list -o json | jq -r --arg path "/$BOX" ".[] | select(.path | ltrimstr(\"/\") == (\$path | ltrimstr(\"/\"))) | .$1"
}

box_is()
{
	[ "$(box reason)" = "$1" ]
}

box_is_not()
{
	[ -n "$(box reason)" ] && ! box_is "$1"
}

# How often the trigger of a group fired.
stalls()
{
	grep -c "container $1 waits for memory" "$EBB_LOG" || true
}

stalled()
{
	(($(stalls "$1") > 0))
}

box_is_cold()
{
	(($(box cold) >= 80 << 20))
}

[ -e /proc/pressure/memory ] || fail "this kernel has no PSI"
# Debian's 6.1 has it built in and off.
echo 7 >/sys/kernel/mm/lru_gen/enabled
thp never
zram_swap 256
cg_new "$BOX"
for group in "$BOX/idle" "$BOX/busy" quiet; do
	cg_new "$group"
done
# The stall comes before there is anything to take, so that every byte of the cold part is a verdict.
cg_run "$BOX/busy" hotcold --status "$STATUS/busy" 64 64
cg_run quiet hotcold --status "$STATUS/quiet" 64 8
for name in busy quiet; do
	wait_for 60 test -s "$STATUS/$name" || fail "hotcold did not start"
done
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 5s
	compress = off
CONF
box=$(stat -c %i "$CG/$BOX") quiet=$(stat -c %i "$CG/quiet")
wait_for 10 box_is_not "" || fail "it is not listed: $(ebb list -o json)"
sleep 3
check "$(stalls "$box") == 0" "no stall while there is room"
check_cmd "nor a veto for one" box_is_not psi-memory

host_mark squeezed
echo 32M >"$CG/$BOX/busy/memory.max"
cg_run "$BOX/idle" burn --status "$STATUS/idle" 100
wait_for 30 stalled "$box" || fail "no trigger fired: $(cat "$CG/$BOX/memory.pressure")"
wait_for 120 box_is psi-memory || fail "the reason is $(box reason): $(ebb list)"
note "$(head -n 1 "$CG/$BOX/memory.pressure")"
ebb list
wait_for 60 box_is_cold || fail "the idle part is not seen to be cold: $(ebb list)"
sleep 5
check_cmd "with much of it cold, it goes on saying so" box_is psi-memory
check_cmd "and ebb list says it in words" bash -c "ebb list | grep -q 'it waits for memory'"
check "$(box reclaimed_total) < 8 << 20" "hardly a thing is taken of its $(($(box cold) >> 20)) MiB of cold memory"
check "$(cg_get "$BOX/idle" memory.swap.current) == 0" "which is all in memory"
check "$(stalls "$quiet") == 0" "the neighbour waits for nothing"
# One call a window of a second, however long the stall: no storm of wake-ups.
first=$(stalls "$box") at=$SECONDS
sleep 5
took=$((SECONDS - at + 1)) now=$(stalls "$box")
check "$now - $first <= $took" "ebbd is woken at most once a second"

echo max >"$CG/$BOX/busy/memory.max"
# Half of it: what the squeeze itself had evicted comes back meanwhile, and may hold the rest for a while.
taken()
{
	(($(box reclaimed_total) >= 48 << 20))
}
wait_for 90 taken || fail "the veto stays: $(box reason), $(head -n 1 "$CG/$BOX/memory.pressure")"
check "$(cg_get "$BOX/idle" memory.swap.current) >= 40 << 20" "with room again the cold part goes"
first=$(stalls "$box")
sleep 5
check "$(stalls "$box") == $first" "and there is no further stall"
check_cmd "ebbd ends well" stop_ebbd
