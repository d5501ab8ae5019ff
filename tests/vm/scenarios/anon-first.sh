# 300 MiB of anonymous memory that is idle, beside 60 MiB of a file that is read every second. The idle
# part goes and the file stays, also where the kernel cannot be asked for anonymous memory alone (6.1).
# kernels: -
# also: 6.1 6.12 7.2
# mem: 2G
# timeout: 260

start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 20s
CONF
cg_new app
# The file first: it is not what the others bring with them that is looked for.
cg_run app bash -c "filecold --status $STATUS/file /var/tmp/cold 1 /var/tmp/warm 60 &
	exec hotcold --cold-after 20000 --status $STATUS/app 340 40"
work=$CG_PID
wait_for 90 test -s "$STATUS/file" || fail "filecold did not start"
wait_for 90 test -s "$STATUS/app" || fail "hotcold did not start"
file=$(pgrep -x filecold)
kill -USR2 "$file" # refetches count from here
cold_is_out()
{
	work_ask "$work" app
	(($(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90))
}

begun=$SECONDS
wait_for 120 cold_is_out || true
work_ask "$work" app
work_ask "$file" file
ebb list
grep -E "plan: reclaim|done: reclaim" "$EBB_LOG" | tail -n 12 || true
note "after $((SECONDS - begun)) s: $(work_status app cold_swapped) of $(work_status app cold_pages) out; the file: $(cat "$STATUS/file")"
check "$(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90" "at least 90% of the idle anonymous memory is out"
check "$(work_status app hot_majflt) * 100 <= $(work_status app hot_pages)" "what is in use is not"
# A portion of page cache that met it, in its own right, is what a mistake may cost: 16 MiB.
check "$(work_status file warm_refetched) <= 16 * 1048576" "and the file was not taken in its stead"
kill "$file" "$work"
check_cmd "hotcold ends well" wait "$work"
check_cmd "ebbd ends well" stop_ebbd
