# A container of several groups: page cache that was read once goes from all of them, also that which a removed one has left;
# what is read again stays, and what one of them has by memory.min.
# kernels: 6.12
# also: 6.1 7.2
# mem: 2G
# timeout: 400

unit=system.slice/big.service
echo +memory >"$CG/system.slice/cgroup.subtree_control"
mkdir "$CG/$unit"
echo +memory >"$CG/$unit/cgroup.subtree_control"
mkdir "$CG/$unit"/{live,kept,gone}
echo +memory >"$CG/$unit/kept/cgroup.subtree_control"
mkdir "$CG/$unit/kept/leaf"
echo 120M >"$CG/$unit/kept/memory.min"
dd if=/dev/urandom of=/var/tmp/left bs=1M count=150 status=none
drop_caches
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 10s
CONF
cg_run "$unit/live" filecold --status "$STATUS/live" /var/tmp/cold 200 /var/tmp/warm 60
live=$CG_PID
cg_run "$unit/kept/leaf" filecold --status "$STATUS/kept" /var/tmp/kept 80 /var/tmp/b 1
kept=$CG_PID
wait_for 90 test -s "$STATUS/live" || fail "filecold did not start"
wait_for 90 test -s "$STATUS/kept" || fail "filecold did not start"
cg_run "$unit/gone" cat /var/tmp/left >/dev/null
wait "$CG_PID"
rmdir "$CG/$unit/gone"
had=$(($(cg_stat "$unit" file) >> 20))
note "$had MiB of page cache"
check "$had >= 480" "the container has it all"

left()
{
	echo $((($(cg_stat "$unit" file) >> 20) - 60 - 80))
}
most_is_gone()
{
	(($(left) <= 350 / 20))
}

begun=$SECONDS
wait_for 240 most_is_gone || true
sleep 20 # in which what is left is tried
work_ask "$live" live
work_ask "$kept" kept
ebb list
grep -E "plan: reclaim|done: reclaim" "$EBB_LOG" | tail -n 12 || true
note "after $((SECONDS - begun)) s: $(left) of 350 MiB are left; $(cat "$STATUS/live") $(cat "$STATUS/kept")"
check "$(ebb list -o json | jq 'map(select(.path | endswith("big.service"))) | length') == 1" "they are one container"
check "$(work_status live cold_cached) * 20 <= $(work_status live cold_pages)" "at least 95% of what one of them has read once is gone"
check "$(left) <= 350 / 20" "and of what the removed one had"
check "$(work_status live warm_refetched) / 4096 * 200 <= $(work_status live warm_pages)" "at most 0.5% of what is read again was fetched again"
check "$(work_status live warm_cached) * 100 >= $(work_status live warm_pages) * 99" "which is there"
check "$(work_status kept cold_cached) * 100 >= $(work_status kept cold_pages) * 99" "what memory.min protects is there"
kill "$live" "$kept"
check_cmd "filecold ends well" wait "$live"
check_cmd "ebbd ends well" stop_ebbd
