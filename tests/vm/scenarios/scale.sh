# What ebbd costs with 10 groups and with more: CPU of its own while nothing happens, memory; ten groups a container from a hundred on.
# kernels: -
# mem: 3G
# timeout: 1500

SIZES=${SCALE_SIZES:-10 100 1000}

# one N LAST: a group for itself, with a process; a container of ten groups has others beside it.
one()
{
	mkdir "$CG/$unit/c$1"
	[ "$2" -le 100 ] || echo +memory >"$CG/$unit/c$1/cgroup.subtree_control"
	mkdir "$CG/$unit/c$1/p"
	cg_run "$unit/c$1/p" sleeper
}

# grow FROM TO: groups FROM to TO - 1; a process in the first of each ten, or in each of fewer than a hundred.
grow()
{
	local i
	for ((i = $1; i < $2 && i < 100; i++)); do
		one "$i" "$2"
	done
	for (( ; i < $2; i += 10)); do
		one "$i" "$2"
		# One program for nine: each takes 20 ms where it is emulated.
		eval "mkdir '$CG/$unit/c$i'/g{$((i + 1))..$((i + 9))}"
	done
}

unit=scale
cg_new "$unit"
echo +memory >"$CG/$unit/cgroup.subtree_control"
here=$(calibrate) there=$(host do calibrate)
note "a fixed piece of work takes $here us of CPU here and $there on the host"
start_ebbd </dev/null
had=0
for size in $SIZES; do
	grow "$had" "$size"
	had=$size
	sleep 15 # births are over
	begun=$(ebbd_ticks) at=$SECONDS
	sleep 60
	used=$(($(ebbd_ticks) - begun)) took=$((SECONDS - at))
	rss=$(awk '/VmRSS/ { print $2 }' "/proc/$EBBD_PID/status")
	containers=$(ebb list -o json | jq length)
	overhead=$(ebb status -o json | jq -c .overhead)
	note "$size groups, $containers containers: $used ticks of 10 ms in $took s, $rss KiB resident; $overhead"
	host_data scale "$(jq -c -n --argjson groups "$size" --argjson containers "$containers" --argjson ms $((used * 10)) \
		--argjson s "$took" --argjson rss "$rss" --argjson here "$here" --argjson there "$there" \
		'{groups: $groups, containers: $containers, cpu_ms: $ms, seconds: $s, rss_kib: $rss, here: $here, there: $there}')"
done
check "$rss <= 64 * 1024" "ebbd holds at most 64 MiB with $size groups"
check_cmd "ebbd ends well" stop_ebbd
