# A container that consists of 300 groups: the memory of the last one gets old, and goes, as that of any other.
# kernels: 6.12
# mem: 1G
# timeout: 150

unit=system.slice/big.service
echo +memory >"$CG/system.slice/cgroup.subtree_control"
mkdir "$CG/$unit"
echo +memory >"$CG/$unit/cgroup.subtree_control"
mkdir "$CG/$unit"/g{1..300}
thp never
start_ebbd <<-CONF
	[ebb]
	cold_after = 2s
CONF
cg_run "$unit/g300" hotcold --status "$STATUS/app" 200 50
work=$CG_PID
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
kill -USR2 "$work"

most_is_out()
{
	work_ask "$work" app
	(($(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90))
}

wait_for 60 most_is_out || note "$(cat "$STATUS/app")"
check "$(ebb list -o json | jq 'map(select(.path | endswith("big.service"))) | length') == 1" "they are one container"
check "$(work_status app cold_swapped) * 100 >= $(work_status app cold_pages) * 90" "the last group's cold part is out"
kill "$work"
check_cmd "hotcold ends well" wait "$work"
check_cmd "ebbd ends well" stop_ebbd
