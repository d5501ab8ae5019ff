# No BPF at all: births and exits are told by inotify, what is cold goes by the files alone, and a container's end
# is answered at once.
# kernels: 6.12
# mem: 1G
# timeout: 150

export EBB_NO_BPF=1
thp never
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 2s
CONF
check_cmd "no program of ours is loaded" test ! -e /sys/fs/bpf/ebb
ebb doctor >/run/doctor.txt || true
check_cmd "ebb doctor names inotify" grep -q inotify /run/doctor.txt
cg_new app
cg_run app hotcold --status "$STATUS/app" 200 50
work=$CG_PID
check_cmd "a container's start is seen" wait_for 5 grep -q 'container app .* is here' "$EBB_LOG"
# Two of each group, one of the root.
groups=$(find "$CG" -mindepth 2 -name memory.current | wc -l)

all_are_watched()
{
	(($(cat "/proc/$EBBD_PID/fdinfo"/* | grep -c '^inotify wd') == groups * 2 + 1))
}

check_cmd "all $groups groups and the root are watched" wait_for 5 all_are_watched
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
kill -USR2 "$work"

most_is_out()
{
	work_ask "$work" app
	(($(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90))
}

wait_for 60 most_is_out || note "$(cat "$STATUS/app")"
check "$(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90" "the cold part is out"
kill "$work"
check_cmd "hotcold ends well" wait "$work"
check_cmd "its end is seen" wait_for 5 grep -q 'container app has ended' "$EBB_LOG"
rmdir "$CG/app"
check_cmd "and that it is gone" wait_for 5 grep -q 'container app is gone' "$EBB_LOG"
check_cmd "ebbd ends well" stop_ebbd
