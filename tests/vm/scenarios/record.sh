# A run of ebbd under work is recorded and replays to the same plans; what a reader misses is said.
# kernels: 6.12
# mem: 1G
# timeout: 120

getent group ebb >/dev/null || groupadd --system ebb
id member >/dev/null 2>&1 || useradd --no-create-home --groups ebb member
R=/run/record
mkdir -p "$R"

says()
{
	local code=$1 pattern=$2 out rc=0
	shift 2
	out=$("$@" 2>&1) || rc=$?
	echo "$out"
	check "$rc == $code" "exit $code: $*"
	grep -qE "$pattern" <<<"$out" || fail "no '$pattern' in it"
}

thp never
start_ebbd <<CONF
[ebb]
cold_after = 4s
CONF
cpu_before=$(ebb status -o json | jq .overhead.cpu_us)
setpriv --reuid member --regid member --init-groups ebb record - >"$R/run" 2>"$R/said" &
recorder=$!
cg_new app
cg_run app hotcold --status "$STATUS/app" 200 50
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
taken()
{
	(($(ebb_of app reclaimed_total) >= 100 << 20))
}
wait_for 60 taken || fail "nothing was taken: $(ebb list)"
# One that ends, and what is left of it.
cg_new brief
cg_run brief hotcold --status "$STATUS/brief" 30 10
wait_for 60 test -s "$STATUS/brief" || fail "hotcold did not start"
cg_del brief
sleep 2
kill -TERM "$recorder"
check_cmd "a recording that is ended ends well" wait "$recorder"
cat "$R/said"

says 0 'Plans +[0-9]+ compared, all as recorded' ebb replay "$R/run"
check_cmd "all of it is the same" bash -c "ebb replay '$R/run' -o json |
	jq -e '.same and .recording.missed == 0 and .recording.end == \"stopped\" and
		.plans.compared > 20 and .states.compared > 0 and .totals.asked > 100 * 1048576'"
ls -l "$R/run"
cut -c1-300 <"$R/run" | tail -n 4
echo "CPU: $(($(ebb status -o json | jq .overhead.cpu_us) - cpu_before)) us"
while IFS= read -r line; do host_data run "$line"; done <"$R/run"
