# shellcheck shell=bash
# shellcheck disable=SC2034,SC2054,SC2154 # the variables are those of demo; QEMU's options have commas
# The host's side of the demo: one broker for two VMs that may have BUDGET in sum, and what it knows of them, every
# second, among what the first VM sends: so all is on one clock, that of the first VM's samples.

SECOND_MEM=768M
BUDGET=2G
HOST_SIDE=$tmp/broker

host_start()
{
	mkdir -p "$HOST_SIDE"
	set -- --budget "$BUDGET" --socket "$HOST_SIDE/status"
	local name
	for name in first second; do
		set -- "$@" --vm "name=$name,vmm=qmp:$HOST_SIDE/$name.qmp,channel=$HOST_SIDE/$name.channel,min=256M"
	done
	beside "$HOST_SIDE/log" "$O/ebb-broker" "$@"
}

# Sets port=(...): options of tests/vm/run for a VM that the broker reaches.
port_of()
{
	port=(--qmp "$HOST_SIDE/$1.qmp"
		--qemu -chardev --qemu "socket,id=ebb,path=$HOST_SIDE/$1.channel,server=on,wait=off"
		--qemu -device --qemu virtserialport,chardev=ebb,name=ebb.channel,id=ebb0)
}

second_start()
{
	local port
	port_of second
	# Beside the first: that one has waited for its turn.
	EBB_VM_ALONE=1 beside "$tmp/second.log" "$VM_DIR/run" --kernel 6.12 --mem "$SECOND_MEM" --image demo \
		--build "$O" --out "$run/second" --timeout $((SECONDS_OF_DEMO + 240)) "${cpu[@]}" "${port[@]}" \
		--env "DEMO_SECONDS=$SECONDS_OF_DEMO" --env "DEMO_COLD=$COLD" --env "DEMO_BEGIN=$(date +%s%N)" \
		"$HERE/second.sh"
	beside "$tmp/watch.log" host_watch
}

# The newest sample of a VM's rss.csv, "ms,KiB,": one field of it, or 0.
newest()
{
	local line
	line=$(tail -n 1 "$1" 2>/dev/null | cut -d, -f"$2")
	[[ $line =~ ^[0-9]+$ ]] || line=0
	echo "$line"
}

# In the background until it is killed. What the second VM tells is passed on with the first one's time.
host_watch()
{
	local ms told=0 lines events=$run/second/event.jsonl status
	set +eo pipefail
	while sleep 1; do
		ms=$(newest "$run/rss.csv" 1)
		status=$("$O/ebb-broker" status --socket "$HOST_SIDE/status" -o json | tr -d '\n')
		[ -z "$status" ] || printf '{"ms":%d,"data":{"second_kib":%d,"status":%s}}\n' "$ms" \
			"$(newest "$run/second/rss.csv" 2)" "$status" >>"$run/broker.jsonl"
		[ -s "$events" ] || continue
		lines=$(wc -l <"$events")
		sed -n "$((told + 1)),${lines}s/^{\"ms\":[0-9]*,/{\"ms\":$ms,/p" "$events" >>"$run/event.jsonl"
		told=$lines
	done
}
