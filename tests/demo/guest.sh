#!/bin/bash
# The demo's scenario, run in the VM by tests/vm/run with its library loaded.
# timeout: 100800
#
# DEMO_SECONDS  how long it lasts; all moments below are given for 240 s and scale with it
# DEMO_COLD     cold_after of ebbd, seconds
# DEMO_WITHOUT  not empty: the same without ebbd
#
# What it sends to the host (tests/demo/model.h says how it is read): events here, latencies from
# work/load, and what ebbd says, from work/watch.

here=/ebb/extra/demo
length=${DEMO_SECONDS:-240} cold=${DEMO_COLD:-10}
redis_port=6379 node_port=8080
cache=/srv/cache
jobs=()

# scaled SECONDS [LEAST]: a moment or a length of the 240 s.
scaled()
{
	local s=$(($1 * length / 240))
	echo $((s < ${2:-0} ? ${2:-0} : s))
}

event()
{
	host_data event "$(jq -cn --arg event "$1" --arg name "$2" --arg text "$3" \
		--arg role "${4:-}" '$ARGS.named')"
}

# Until so many seconds after the beginning. In one sleep: where the processor is emulated, a
# process every now and then is much of it.
until_second()
{
	((SECONDS >= $1)) || sleep $(($1 - SECONDS))
}

# run_container NAME COMMAND...: in the foreground, and so the command's output is at hand.
run_container()
{
	local name=$1 parent=()
	shift
	# A group of a known name to look at, where no ebbd says how large it is.
	[ -z "${DEMO_WITHOUT:-}" ] || parent=(--cgroup-parent "/demo/$name")
	podman run --rm --quiet --name "$name" "${parent[@]}" --network=host -v /ebb:/ebb:ro -v "$STATUS:$STATUS" \
		-v "$cache:$cache" --rootfs "$ROOTFS:O" "$@" 9>&-
}

# At most so much; where the processor is emulated and busy, what fits into a fifth of the time.
redis_mib=$(scaled 840 120)
((redis_mib <= 420)) || redis_mib=420
node_mib=$((redis_mib * 3 / 4))
hot=512 # keys that are asked for

start_redis()
{
	local keys
	event start redis "starts, and is given $redis_mib MiB" "$hot keys asked for, all the time"
	run_container redis redis-server --port $redis_port --bind 127.0.0.1 --save '' \
		--appendonly no --dir /tmp >"$STATUS/redis.log" 2>&1 &
	jobs+=($!)
	keys=$("$here/load" fill $redis_port "$redis_mib" "$(scaled 30 8)") ||
		fail "redis was not filled: $(tail -n 3 "$STATUS/redis.log" | tr '\n' ' ')"
	event ready redis "has $keys keys in $((keys / 256)) MiB; $hot of them are asked for, all the time"
	"$here/load" ask $redis_port redis "$keys" $hot 10 &
	jobs+=($!)
}

start_node()
{
	event start node "starts, and renders $node_mib MiB of pages" "warms up, then idles"
	run_container node node "$here/service.js" $node_port "$node_mib" "$(scaled 25 6)" \
		"$STATUS/node" \
		>"$STATUS/node.log" 2>&1 &
	jobs+=($!)
	wait_for $((length > 120 ? length : 120)) test -s "$STATUS/node" ||
		fail "the Node service did not start: $(tail -n 3 "$STATUS/node.log" | tr '\n' ' ')"
	event ready node "is warm; from now on it answers a request now and then"
	"$here/load" http $node_port node "$(scaled 3 2)" &
	jobs+=($!)
}

# run_build SECONDS FIRST_UNIT
run_build()
{
	local units
	event start build "starts" "gcc and make, then gone"
	units=$(run_container build sh "$here/build.sh" "$cache" "$1" "$2" 2>"$STATUS/build.log") ||
		fail "the build failed: $(tail -n 3 "$STATUS/build.log" | tr '\n' ' ')"
	event exit build "ends after $units units; what it leaves behind can go"
}

mkdir -p "$cache"
if [ -z "${DEMO_WITHOUT:-}" ]; then
	start_ebbd <<-CONF
		[ebb]
		cold_after = ${cold}s
	CONF
	version=$(ebb version | awk '{ print $NF; exit }')
	watch=(/run/ebb/ebbd.sock)
else
	version=none
	watch=(- redis="$CG/demo/redis" node="$CG/demo/node" build="$CG/demo/build")
fi
# What the boot left in caches is nobody's.
drop_caches
sleep 3

SECONDS=0
host_data event "$(jq -cn --argjson seconds "$length" --arg kernel "$(uname -r | cut -d+ -f1 | cut -d- -f1)" \
	--argjson cold_after "$cold" \
	--arg ebb "$version" --argjson without "$([ -z "${DEMO_WITHOUT:-}" ] && echo false || echo true)" \
	'{event: "begin"} + $ARGS.named')"
"$here/watch" 1000 "${watch[@]}" &
jobs+=($!)

# One after the other, with some time for each to be alone: how fast it answers is to be compared
# with itself before any of its memory was taken.
services()
{
	start_redis
	until_second $((SECONDS + $(scaled 10)))
	start_node
}

# The builds: each at its moment, or once the others had some time for themselves, and the second
# not where it would not be over in time.
builds()
{
	local long
	long=$(scaled 15 4)
	until_second $((SECONDS + $(scaled 25)))
	until_second "$(scaled 95)"
	run_build "$long" 0
	until_second $((SECONDS + $(scaled 25)))
	until_second "$(scaled 160)"
	((SECONDS + long * 2 >= length)) || run_build "$long" 1000
}

# Whatever is under way then: the demo ends when it is over, or at once when something failed.
{
	services
	builds
} &
story=$!
sleep "$length" &
wait -n $story $! || true
[ -s "$REASON" ] || until_second "$length"
[ ! -s "$REASON" ] || fail "$(cat "$REASON")"
event end '' 'the end'
kill "${jobs[@]}" 2>/dev/null || true
podman rm -af -t 0 >/dev/null 2>&1 9>&- || true
[ -n "${DEMO_WITHOUT:-}" ] || stop_ebbd || true
