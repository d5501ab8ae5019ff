# The harness itself, without ebbd: what the guest frees comes back to the host, containers run,
# and the work programs count to the page.
# kernels: 6.12
# also: 6.1 7.2
# mem: 1G
# timeout: 180

note "Linux $(uname -r), $(nproc) CPUs, up $(cut -d' ' -f1 /proc/uptime) s, $(host_rss_mib) MiB on the host"

# --- free page reporting ---
# Without ebbd only blocks of 2 MiB and more are reported (6.1: 260 of 300 MiB came back).
drop_caches
host_settles
before=$(host_rss_mib)
cg_new burner
cg_run burner burn --status "$STATUS/burn" 300
burner=$CG_PID
wait_for 60 test -s "$STATUS/burn" || fail "burn did not finish"
full=$(host_rss_mib)
# Not all of them anew: blocks of less than 2 MiB that were free before are still the guest's.
check "$full - $before >= 250" "most of 300 MiB taken in the guest are taken on the host (from $before MiB)"
check "$(cg_stat burner anon) >= 300 * 1048576" "and its cgroup is charged for them"
host_mark "burn ends"
kill "$burner"
begun=$(host_time)
wait_for 30 host_falls_below $(((full - 220) * 1024)) ||
	fail "still $(host_rss_mib) of $full MiB on the host 30 s after the end"
check "$(host_rss_mib) <= $full - 220" \
	"its end gives 220 back, after $((($(host_time) - begun) / 1000000)) ms"
cg_del burner

# --- the work programs ---
thp never
zram_swap 256
cg_new mixed
cg_run mixed hotcold --status "$STATUS/mixed" 120 30
mixed=$CG_PID
wait_for 60 test -s "$STATUS/mixed" || fail "hotcold did not start"
rm "$STATUS/mixed"
# Stopped, so that what is evicted stays so, wherever this kernel thinks the cold pages are.
kill -STOP "$mixed"
cg_reclaim mixed 60M
swapped=$(cg_get mixed memory.swap.current)
kill -USR1 "$mixed"
kill -CONT "$mixed"
wait_for 60 test -s "$STATUS/mixed" || fail "no status"
note "$(cat "$STATUS/mixed")"
seen=$(($(work_status mixed cold_swapped) + $(work_status mixed hot_swapped)))
check "$swapped >= 50 * 1048576" "memory.reclaim put some of it into zram"
check "$seen * 4096 <= $swapped && $seen * 4096 >= $swapped * 95 / 100" "hotcold sees the same from inside"
rm "$STATUS/mixed"
kill -HUP "$mixed"
wait_for 60 test -s "$STATUS/mixed" || fail "no verification"
check "$(work_status mixed corrupt) == 0" "every byte came back"
check "$(work_status mixed cold_swapped) == 0" "from zram, by reading it"
kill "$mixed"
check_cmd "hotcold ends well" wait "$mixed"
cg_del mixed

# --- a container ---
podman_run pod -- hotcold --status "$STATUS/pod" 40 10
wait_for 30 test -s "$STATUS/pod" || fail "hotcold does not run in podman: $(podman logs pod 2>&1)"
group=$(podman_cgroup pod)
note "its cgroup is /$group"
check "$(cg_stat "$group" anon) >= 40 * 1048576" "podman's container is charged to its own group"
podman_rm pod
check_cmd "and goes with it" test ! -d "$CG/$group"
