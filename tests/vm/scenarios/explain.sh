# `ebb explain` of a container whose cold memory is taken, and of names that mean none or several.
# kernels: -
# also: 6.12
# mem: 1G
# timeout: 150

says()
{
	local code=$1 pattern=$2 out rc=0
	shift 2
	out=$("$@" 2>&1) || rc=$?
	echo "$out"
	check "$rc == $code" "exit $code: ${*: -2}"
	grep -qE "$pattern" <<<"$out" || fail "no '$pattern' in it"
}

thp never
start_ebbd <<EOF
[ebb]
cold_after = 5s
EOF
cg_new app
cg_new app2
cg_run app2 sleeper
cg_run app hotcold --status "$STATUS/app" 200 50
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
took()
{
	ebb explain app -o json | jq -e '[.decisions[].got] | add > 50 * 1048576' >/dev/null
}
wait_for 90 took || fail "no decision took anything: $(ebb explain app -o json)"
says 0 'asked for [0-9.]+M, got [0-9.]+M' ebb explain app
check_cmd "what the decisions got is what was taken" bash -c "ebb explain app -o json |
	jq -e '([.decisions[].got] | add) as \$got | .container.reclaimed_total == \$got'"
says 1 'app.*app2|app2.*app' ebb explain 'app*'
says 1 'similar: app' ebb explain ap
says 1 'there are: .*app' ebb explain nothing-like-it
check_cmd "ebbd ends well" stop_ebbd
