# Two containers of one image: the first one pays for the pages of a 48 MiB file that both have mapped,
# and has read 150 MiB that nobody else uses. It ends. What the other one runs from stays, the rest goes.
# kernels: -
# also: 6.1 6.12 7.2
# mem: 2G
# timeout: 180

start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 60s
CONF
cg_new box
echo +memory >"$CG/box/cgroup.subtree_control"
cg_new box/first
cg_run box/first filecold --map --status "$STATUS/first" /var/tmp/own 150 /var/tmp/image 48
first=$CG_PID
wait_for 60 test -s "$STATUS/first" || fail "the first container did not start"
cg_new box/second
cg_run box/second filecold --map --status "$STATUS/second" /var/tmp/b 1 /var/tmp/image 48
second=$CG_PID
wait_for 60 test -s "$STATUS/second" || fail "the second container did not start"
sleep 3
check "$(cg_stat box/first file_mapped) > 40 * 1048576" "the first one pays for what both have mapped"
check "$(cg_stat box/second file_mapped) < 8 * 1048576" "and the second one does not"
kill -USR2 "$second" # refetches count from here
echo 1 >"$CG/box/first/cgroup.kill"
wait_for 10 grep -q 'populated 0' "$CG/box/first/cgroup.events"
sleep 8
first_left=$(cg_stat box/first file)
work_ask "$second" second
grep -E "plan|done" "$EBB_LOG" | tail -n 12 || true
note "in the group of the first one: $((first_left >> 20)) MiB; $(cat "$STATUS/second")"
check "$(work_status second warm_refetched) <= 2 * 1048576" "what the second one runs from was not taken"
rmdir "$CG/box/first"
sleep 8
work_ask "$second" second
grep -E "plan|done|left alone" "$EBB_LOG" | tail -n 12 || true
note "page cache below box: $(($(cg_stat box file) >> 20)) MiB; $(cat "$STATUS/second")"
check "$(work_status second warm_refetched) <= 2 * 1048576" "nor when the group of the first one was gone"
check "$(cg_stat box file) <= 80 * 1048576" "what nobody used is gone"
kill "$second"
check_cmd "the second one ends well" wait "$second"
wait "$first" || true
check_cmd "ebbd ends well" stop_ebbd
