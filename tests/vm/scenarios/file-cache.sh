# 300 MiB of page cache read once, beside 60 MiB that are read again every second, with a patience in which the kernel itself
# could not tell one from the other if passes came each half of it (docs/policy.md).
# kernels: 6.12
# also: 6.1 7.2
# mem: 2G
# timeout: 400

start_ebbd <<-CONF
	[ebb]
	cold_after = 10s
CONF
cg_new app
cg_run app filecold --status "$STATUS/app" /var/tmp/cold 300 /var/tmp/warm 60
work=$CG_PID
wait_for 90 test -s "$STATUS/app" || fail "filecold did not start"
cold_is_gone()
{
	work_ask "$work" app
	(($(work_status app cold_cached) * 20 <= $(work_status app cold_pages)))
}

begun=$SECONDS
wait_for 220 cold_is_gone || true
sleep 30 # in which what is left is tried
work_ask "$work" app
ebb list
note "after $((SECONDS - begun)) s: $(cat "$STATUS/app")"
check "$(work_status app cold_cached) * 20 <= $(work_status app cold_pages)" "at least 95% of the file that was read once is gone"
check "$(cg_stat app pgsteal) * 100 >= $(work_status app cold_pages) * 95" "because it was evicted, from its own group"
check "$(work_status app warm_cached) * 100 >= $(work_status app warm_pages) * 99" "the file that is read again stays"
back=$(($(work_status app warm_refetched) / 4096))
note "read from the disk again: $back of $(work_status app warm_pages) pages"
check "$back * 200 <= $(work_status app warm_pages)" "and at most 0.5% of it was fetched again"
kill "$work"
check_cmd "filecold ends well" wait "$work"
check_cmd "ebbd ends well" stop_ebbd
