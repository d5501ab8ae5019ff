# What `ebb` says, and to whom: root, a member of group ebb, a stranger; pause, resume, doctor; no ebbd.
# kernels: 6.12
# mem: 1G
# timeout: 180

getent group ebb >/dev/null || groupadd --system ebb
id member >/dev/null 2>&1 || useradd --no-create-home --groups ebb member
id stranger >/dev/null 2>&1 || useradd --no-create-home stranger

# says CODE PATTERN COMMAND...: its exit code, and what it prints
says()
{
	local code=$1 pattern=$2 out rc=0
	shift 2
	out=$("$@" 2>&1) || rc=$?
	echo "$out"
	check "$rc == $code" "exit $code: ${*: -2}"
	grep -qE "$pattern" <<<"$out" || fail "no '$pattern' in it"
}

as()
{
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$user" --init-groups "$@"
}

state_is()
{
	[ "$(ebb_of app state)" = "$1" ]
}

state_is_not()
{
	! state_is "$1"
}

thp never
start_ebbd <<EOF
[ebb]
cold_after = 5s
[container "nobody*"]
protect = 64M
EOF
cg_new app
cg_run app hotcold --status "$STATUS/app" 200 50
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
wait_for 30 state_is_not "" || fail "it is not listed"

says 0 '^app +[0-9.]+M ' ebb list
says 0 '^Options +cap all RAM, cold after 5s' ebb status
says 0 'ebb can work here' ebb doctor
check_cmd "doctor -o json" bash -c "ebb doctor -o json | jq -e '.able and .ebbd and (.rungs | length > 5)' >/dev/null"
check_cmd "status -o json" bash -c "ebb status -o json | jq -e '.memory.total > 0 and .config.rules == 1' >/dev/null"

# What ebbd has, in the forms that can be asked for.
check_cmd "names alone" test "$(ebb list -o name --filter 'ap?')" = app
check_cmd "list -o json --sort" bash -c "ebb list -o json --sort size --filter app | jq -e 'length == 1 and .[0].name == \"app\"' >/dev/null"
says 0 '^app +[0-9.]+M ' ebb top -b -n 1
check_cmd "version -o json" test "$(ebb version -o json | jq -c keys)" = '["ebb","ebbd"]'

# Who may what.
check "$(stat -c %a /run/ebb/ebbd.sock) == 660" "the socket is for owner and group"
says 0 '^app ' as member ebb list
says 1 'only root may pause' as member ebb pause
says 1 'not permitted' as stranger ebb list
says 0 'memory is held by cgroup v2' as stranger ebb doctor

# Pausing one, then all.
says 1 'no container' ebb pause nothing-of-that-name
says 0 'paused: app \(1 container\)' ebb pause app
wait_for 20 state_is paused || fail "it is $(ebb_of app state)"
sleep 10 # a step that was under way comes to its end
before=$(ebb_of app reclaimed_total)
sleep 15
check "$(ebb_of app reclaimed_total) == $before" "nothing is taken while it is paused"
says 0 'resumed: app' ebb resume app
wait_for 20 state_is_not paused || fail "it is still paused"
says 0 'Paused' ebb pause
wait_for 20 state_is paused || fail "it is $(ebb_of app state)"
says 0 '^Paused: nothing is taken' ebb status
check_cmd "pause -o json" test "$(ebb pause -o json app | jq -cS .)" = '{"containers":1,"paused":true}'
says 0 'Resumed' ebb resume
wait_for 20 state_is_not paused || fail "it is still paused"
taken()
{
	(($(ebb_of app reclaimed_total) >= $1 << 20))
}
wait_for 60 taken 100 || fail "nothing was taken: $(ebb list)"
ebb list

# A second ebbd does not take the socket of the first.
says 1 '.' /ebb/bin/ebbd --config /dev/null --state-dir /run/second
says 0 '^app ' ebb list

check_cmd "ebbd ends well" stop_ebbd
says 1 'ebbd is not running' ebb list
says 0 'lifecycle +tracepoint' ebb doctor
check_cmd "no socket stays" test ! -e /run/ebb/ebbd.sock
