# What ageing passes miss of the pages in use, and what of these comes back: each second the generations of a process
# of 800 MiB that has a CPU to itself and touches 200 of them every 300 ms. With ALONE=1 nothing else wakes there, so
# that an emulated CPU keeps its translations: see mmswitch.c.
# kernels: -
# also: 7.2
# mem: 2G
# smp: 2
# timeout: 400

# Generation, age and pages (anon/file) of each generation of the group.
generations()
{
	awk '$1 == "memcg" { on = ($3 == "/app") } on && NF == 4 { printf "%s:%sms=%s/%s  ", $1, $2, $3, $4 }' \
		/sys/kernel/debug/lru_gen
}

for p in /proc/[0-9]*; do
	taskset -pc 0 "${p##*/}" >/dev/null 2>&1 || true
done
[ -z "${ALONE:-}" ] || pkill mmswitch
thp never
start_ebbd <<-CONF
	[ebb]
	cold_after = 5s
CONF
cg_new app
cg_run app taskset -c 1 hotcold --cold-after 5000 --status "$STATUS/app" 800 200
wait_for 90 test -s "$STATUS/app" || fail "hotcold did not start"
for ((i = 0; i < 80; i++)); do
	sleep 1
	work_ask "$CG_PID" app || fail "hotcold does not answer"
	note "$(work_status app cold_present) cold pages there, $(work_status app hot_majflt) in use came back: $(generations)"
done
ebb explain app
check_cmd "ebbd ends well" stop_ebbd
[ -n "${ALONE:-}" ] || check "$(work_status app hot_majflt) * 1000 <= $(work_status app hot_pages) * 5" \
	"at most 5 in 1000 of the pages in use came back"
