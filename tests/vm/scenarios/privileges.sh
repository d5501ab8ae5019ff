# After its start ebbd has six of root's capabilities, none to give to a program, and does all of its work with
# them: groups and pins of others, stall triggers, a census that grows, and the end. What is refused it does without.
# kernels: 6.12
# mem: 2G
# timeout: 240

# dac_override 1, dac_read_search 2, sys_admin 21, sys_resource 24, perfmon 38, bpf 39
KEPT=000000c001200006
T=/sys/kernel/tracing

# Of each thread, the workers that came later too.
threads_have()
{
	local status
	for status in /proc/"$EBBD_PID"/task/*/status; do
		grep -q "^$1:[[:space:]]*$2\$" "$status" || return 1
	done
}

# "NUMBER RESULT COUNT" of each capability that ebbd was asked about since the last call.
asked()
{
	awk '/ cap_asked: / { sub(/.* cap=/, ""); sub(/ ret=/, " "); n[$1 " " $2]++ }
		END { for (x in n) print x, n[x] }' "$T/trace" | sort -n
	echo >"$T/trace"
}

mountpoint -q "$T" || mount -t tracefs tracefs "$T"
echo 'r:cap_asked cap_capable cap=$arg3:s32 ret=$retval:s32' >"$T/kprobe_events"
echo 'comm == "ebbd"' >"$T/events/kprobes/cap_asked/filter"
echo 1 >"$T/events/kprobes/cap_asked/enable"
grep -q ^ebb: /etc/group || echo ebb:x:990: >>/etc/group
gid=$(awk -F: '$1 == "ebb" { print $3 }' /etc/group)
thp never
umount /sys/kernel/debug/tracing 2>/dev/null || true
umount /sys/kernel/debug
ulimit -Sn 1024
start_ebbd <<-CONF
	[ebb]
	cold_after = 2s
CONF
asked >/run/asked.start

cg_new app
cg_run app hotcold --status "$STATUS/app" 200 50
work=$CG_PID
# As the groups of a rootless container are.
chown -R 1000:1000 "$CG/app"
chmod 700 "$CG/app"
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
kill -USR2 "$work"
# More groups than the census has room for at first.
cg_new many
echo +memory >"$CG/many/cgroup.subtree_control"
mkdir "$CG"/many/g{1..2100}
kill -HUP "$EBBD_PID"
trap 'for when in start run end; do note "asked in the $when: $(tr "\n" ";" <"/run/asked.$when")"; done' EXIT
touch /run/asked.{run,end}

most_is_out()
{
	work_ask "$work" app
	(($(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90))
}

wait_for 60 most_is_out || note "$(cat "$STATUS/app")"
check "$(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90" "a rootless container's cold part is out"
check_cmd "the threads have what the work needs" threads_have CapEff "$KEPT"
check_cmd "and cannot have more" threads_have CapPrm "$KEPT"
check_cmd "a program would have none" threads_have CapBnd 0000000000000000
check_cmd "nor new ones" threads_have NoNewPrivs 1
check_cmd "its stalls are watched" bash -c "ls -l /proc/$EBBD_PID/fd 2>/dev/null | grep -q memory.pressure"
check_cmd "many files can be open" bash -c "awk '/^Max open files/ { exit \$4 < 4096 }' /proc/$EBBD_PID/limits"
check "$(bpftool -j map show pinned /sys/fs/bpf/ebb/census_records | jq .max_entries) > 2048" "the census has grown"
for pin in /sys/fs/bpf/ebb{,/containers,/edges,/census,/census_records}; do
	check "$(stat -c %g "$pin") == $gid" "$pin is group ebb's"
done
check_cmd "the configuration was read again" grep -q 'configuration read again' "$EBB_LOG"
check_cmd "ebb doctor answers" bash -c 'ebb doctor >/dev/null || (($? == 1))'
asked >/run/asked.run
kill "$work"
check_cmd "hotcold ends well" wait "$work"
check_cmd "ebbd ends well" stop_ebbd
asked >/run/asked.end
echo 0 >"$T/events/kprobes/cap_asked/enable"
echo >"$T/kprobe_events"
check_cmd "its swap is gone" bash -c '! grep -q zram /proc/swaps'
check_cmd "and its pins" test ! -e /sys/fs/bpf/ebb
check "$(wc -l </run/asked.run) > 0" "the trace saw it"
# The kernel asks for these three at its own account: fsetid 4 (may a set-group-id bit stay? the pins have none),
# net_admin 12 (is a vsock socket a trusted one? as a client it need not be) and syslog 34 (may the addresses of a
# program be shown? nobody looks).
check_cmd "nothing else was refused" bash -c "! awk '\$2 && \$1 != 4 && \$1 != 12 && \$1 != 34' /run/asked.run /run/asked.end | grep ."
