# debugfs is not mounted: a private mount serves, nothing appears in the mount table, and ebbd says so.
# kernels: 6.12
# also: 6.1 7.2
# mem: 1G
# timeout: 120

umount /sys/kernel/debug/tracing 2>/dev/null || true
umount /sys/kernel/debug || skip "debugfs cannot be unmounted here"
thp never
start_ebbd <<-CONF
	[ebb]
	cold_after = 2s
CONF
cg_new app
cg_run app hotcold --status "$STATUS/app" 200 50
work=$CG_PID
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
kill -USR2 "$work"

most_is_out()
{
	work_ask "$work" app
	(($(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90))
}

wait_for 40 most_is_out || true
work_ask "$work" app
note "$(cat "$STATUS/app")"
check "$(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90" "ages are read and driven all the same"
check_cmd "nothing was mounted for others to see" bash -c '! grep -q debugfs /proc/mounts'
check_cmd "ebbd says so" grep -qi 'debugfs' "$EBB_LOG"
kill "$work"
check_cmd "hotcold ends well" wait "$work"
check_cmd "ebbd ends well" stop_ebbd
