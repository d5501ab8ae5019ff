# lockdown=integrity: ages cannot be driven, so ebbd goes on in small steps, and says so.
# kernels: 6.12
# also: 6.1 7.2
# mem: 1G
# append: lockdown=integrity
# timeout: 180

grep -q '\[integrity\]' /sys/kernel/security/lockdown || fail "the kernel is not locked down"
thp never
start_ebbd --verbose <<-CONF
	[ebb]
	cold_after = 5s
CONF
cg_new app
cg_run app hotcold --status "$STATUS/app" 300 50
work=$CG_PID
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
kill -USR2 "$work"
# A step is 5 MiB, and one may meet hot pages before it is judged: on a busy host it takes longer until there were some.
took()
{
	work_ask "$work" app && (($(work_status app cold_swapped) >= 20000))
}
sleep 40
wait_for 60 took || true
work_ask "$work" app
ebb list
ebb doctor >/run/doctor.txt || true
cat /run/doctor.txt
note "$(cat "$STATUS/app")"
check_cmd "the reason is the small steps" test "$(ebb_of app reason)" != cold
check_cmd "ebb doctor names lockdown" grep -qi lockdown /run/doctor.txt
check "$(work_status app cold_swapped) >= 10 * 256" "some of the cold part was taken"
check "$(work_status app hot_majflt) * 10 <= $(work_status app cold_swapped)" "and few hot pages with it"
kill "$work"
check_cmd "hotcold ends well" wait "$work"
check_cmd "ebbd ends well" stop_ebbd
