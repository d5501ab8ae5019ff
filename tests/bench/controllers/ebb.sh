# shellcheck shell=bash
# ebbd as it is installed, with nothing in its configuration but the age.
# title: ebb
# place: 9
# knob: cold_after, seconds
# unit: s
# values: 5 10 30 60
# default: 10
# quick: 5
# shellcheck disable=SC2034 # read by run.sh
CONTROLLER_GROUP=system.slice/ebbd.service

controller_start()
{
	start_ebbd <<-CONF
		[ebb]
		cold_after = ${BENCH_VALUE}s
	CONF
}

controller_acted()
{
	ebb list -o json | jq -r 'map(.reclaimed_total | tonumber) | add // 0 | if . > 0 then
		"reclaimed \(. / 1048576 | floor) MiB" else "" end'
}

controller_stop()
{
	stop_ebbd || fail "ebbd did not end well"
}
