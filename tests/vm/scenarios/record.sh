# A run of ebbd under work is recorded by a member of group ebb, and replays to the same plans.
# kernels: 6.12
# mem: 1G
# timeout: 300

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

# A container that reads a file and ends.
leave()
{
	cg_run "$1" bash -c "cat '$2' >/dev/null; echo >'$STATUS/left'; exec sleeper"
	wait_for 30 test -s "$STATUS/left" || fail "$1 did not start"
	rm "$STATUS/left"
	sleep 1
	echo 1 >"$CG/$1/cgroup.kill"
}

thp never
# Past the page cache: it is those who read them who pay for it.
for file in a b; do
	dd if=/dev/zero of=/var/tmp/$file bs=1M count=24 oflag=direct status=none
done
start_ebbd <<CONF
[ebb]
cold_after = 4s
CONF
cg_new box
echo +memory >"$CG/box/cgroup.subtree_control"
cg_new box/stays
cg_run box/stays sleeper
setpriv --reuid member --regid member --init-groups ebb record - >"$R/run" 2>"$R/said" &
recorder=$!
cg_new app
cg_run app hotcold --status "$STATUS/app" 150 30
cg_new ends
leave ends /var/tmp/a
cg_new box/goes
leave box/goes /var/tmp/b
# At once, so that what it read is left to nobody who lives.
until rmdir "$CG/box/goes" 2>/dev/null; do :; done
taken()
{
	(($(ebb_of app reclaimed_total) >= 80 << 20))
}
wait_for 120 taken || fail "nothing was taken: $(ebb list)"
sleep 2
# What is there of it can be looked at before it ends; bash lets its jobs ignore SIGINT.
says 1 'cut off (before its end|in the middle)' ebb replay "$R/run"
kill "$recorder"
check_cmd "a recording that is ended ends well" wait "$recorder"
cat "$R/said"

says 0 'Plans +[0-9]+ compared, all as recorded' ebb replay "$R/run"
check_cmd "all of it is the same" bash -c "ebb replay '$R/run' -o json |
	jq -e '.same and .recording.missed == 0 and .recording.end == \"stopped\" and
		.plans.compared > 20 and .states.compared > 0 and .totals.asked > 80 * 1048576' >/dev/null"
says 0 'plans would have been different' ebb replay "$R/run" --config /dev/null
says 0 '5 turns in' ebb record "$R/short" -n 5
says 0 'Plans +5 compared, all as recorded' ebb replay "$R/short"
check_cmd "ebbd ends well" stop_ebbd
# For run --out: what tests/unit/recordings is made from.
while IFS= read -r line; do host_data run "$line"; done <"$R/run"
