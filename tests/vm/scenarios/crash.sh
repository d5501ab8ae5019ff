# kill -9 of ebbd at ten random instants during reclaim: containers keep running, nothing stays set
# after the next start, no hook stays attached.
# kernels: 6.12
# also: 6.1 7.2
# mem: 2G
# timeout: 400

conf()
{
	printf '[ebb]\ncold_after = 1s\n'
}

# Values that ebbd may set, as an administrator sees them.
settings()
{
	local file
	for file in /sys/kernel/mm/lru_gen/enabled /proc/sys/vm/swappiness \
		/sys/module/page_reporting/parameters/page_reporting_order "$CG"/{app,other}/memory.{low,min,high,max}; do
		[ -e "$file" ] && echo "$file $(cat "$file")"
	done
	grep -c zram /proc/swaps || true
}

# census_text hooks nothing: it is behind /sys/fs/bpf/ebb/census, stays with the pins, and runs when that is read.
hooks()
{
	bpftool prog show -j | jq '[.[] | select(.name | test("ebb|page_fault|cgroup_|census|refault"))
		| select(.name != "census_text")] | length'
}

# More than what stays in swap of pages that were faulted in again: their slots are freed when they are written to.
taking()
{
	(($(cg_get app memory.swap.current) >= swapped + (4 << 20)))
}

thp never
hooks_before=$(hooks)
cg_new app
cg_new other
before=$(settings)
cg_run app hotcold --status "$STATUS/app" 200 50
app=$CG_PID
cg_run other filecold --status "$STATUS/other" /var/tmp/a 60 /var/tmp/b 20
other=$CG_PID
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
amid=0
for try in 1 2 3 4 5 6 7 8 9 10; do
	swapped=$(cg_get app memory.swap.current)
	start_ebbd < <(conf)
	# Eight times in the middle of it, otherwise somewhere on the way there.
	if ((try % 5)); then
		wait_for 30 taking || fail "it takes nothing"
		sleep "0.$((RANDOM % 10))"
	else
		sleep "$((RANDOM % 5)).$((RANDOM % 10))"
	fi
	kill -KILL "$EBBD_PID"
	wait "$EBBD_PID" || true
	taken=$((($(cg_get app memory.swap.current) - swapped) / 1048576))
	note "kill $try after $((SECONDS)) s: $taken MiB of app went to swap"
	((taken < 1)) || amid=$((amid + 1))
	kill -0 "$app" "$other" || fail "a container died with ebbd"
	wait_for 5 test "$(hooks)" -eq "$hooks_before" || fail "a hook is still attached: $(bpftool prog show)"
	# Fault everything in again, so that the next round has something to take.
	rm -f "$STATUS/app"
	kill -HUP "$app"
	wait_for 60 test -s "$STATUS/app" || fail "app does not answer"
done
check "$amid >= 6" "kills amid reclaim"
check "$(work_status app corrupt) == 0" "no byte was lost in ten crashes"
start_ebbd < <(conf)
sleep 1
check_cmd "the next start and its end are clean" stop_ebbd
after=$(settings)
[ "$before" = "$after" ] || fail "left behind: $(diff <(echo "$before") <(echo "$after") | tr '\n' ' ')"
echo "  ok  nothing stays set"
check "$(hooks) == $hooks_before" "no hook stays"
check_cmd "no pins stay" test ! -e /sys/fs/bpf/ebb
kill "$app" "$other"
wait "$app" || fail "app was harmed"
wait "$other" || fail "the other container was harmed"
