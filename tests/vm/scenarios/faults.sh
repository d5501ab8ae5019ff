# Thirty faults at random between ebbd, the channel and the broker: after each the VM is full size, or leased
# as ebbd wants it, within 5 s; nothing leaks and nothing is killed. SEED repeats a run.
# kernels: -
# also: 6.12 7.2
# mem: 1G
# broker: min=256M,shrink=1G
# timeout: 900

SEED=${SEED:-$(($(host_time) % 100000))}
RANDOM=$SEED
note "SEED=$SEED"
port=/dev/virtio-ports/ebb.channel
[ -e "$port" ] || port=/dev/$(grep -l '^ebb.channel$' /sys/class/virtio-ports/*/name | cut -d/ -f5)

held()
{
	awk '/^balloon_inflate / { n += $2 } /^balloon_deflate / { n -= $2 } END { print int(n / 256) }' /proc/vmstat
}
full()
{
	[ "$(held)" -le 4 ]
}
holds()
{
	[ "$(held)" -ge "$1" ]
}
up()
{
	start_ebbd <"$EBB_CONF"
	wait_for 60 holds 100 || fail "after '$what': the VM does not shrink again ($(held) MiB; SEED=$SEED)"
}
down()
{
	kill -9 "$EBBD_PID"
	wait "$EBBD_PID" 2>/dev/null || true
}
must_be_full()
{
	wait_for 5 full || fail "after '$what': the balloon still has $(held) MiB after 5 s (SEED=$SEED)"
}
# What a client that is no ebbd writes into the port.
raw()
{
	timeout 20 bash -c 'cat >"$0"' "$port" || true
}
hello()
{
	printf '\377{"type":"hello","version":1,"session":"0123456789abcdef","boot":"%s","ram":1000000000}\n' \
		"$(cat /proc/sys/kernel/random/boot_id)"
}
fault()
{
	case $1 in
	0) what='kill -9 of ebbd' && down && must_be_full && up ;;
	1)
		what='kill -9 of the broker'
		host do broker kill >/dev/null
		sleep $((RANDOM % 3))
		host do broker start >/dev/null
		sleep 5
		wait_for 30 holds 100 || fail "after '$what': not leased again ($(held) MiB; SEED=$SEED)"
		;;
	2)
		what='a broker that stops'
		host do broker stop >/dev/null
		must_be_full
		host do broker start >/dev/null
		wait_for 60 holds 100 || fail "after '$what': not leased again ($(held) MiB; SEED=$SEED)"
		;;
	3) what='half a line' && down && printf '{"type":"lease","seq":9,"wa' | raw && must_be_full && up ;;
	4) what='a wrong sequence' && down && (
		hello
		printf '{"type":"lease","seq":7,"want":1073741824,"ttl_ms":1000}\n{"type":"lease","seq":3,"want":1,"ttl_ms":60000}\n'
	) | raw && must_be_full && up ;;
	5) what='10 MB without a newline' && down && head -c 10000000 /dev/zero | tr '\0' 'x' | raw && must_be_full && up ;;
	6) what='a storm of leases' && down && (
		hello
		for i in $(seq 2000); do echo "{\"type\":\"lease\",\"seq\":$i,\"want\":$((RANDOM * 65536)),\"ttl_ms\":1000}"; done
	) | raw && must_be_full && up ;;
	7)
		what='ebbd stopped in the middle of a line'
		kill -STOP "$EBBD_PID"
		sleep 12 # longer than the lease
		must_be_full
		kill -CONT "$EBBD_PID"
		wait_for 60 holds 100 || fail "after '$what': not leased again ($(held) MiB; SEED=$SEED)"
		;;
	esac
}

thp never
echo '' >"$EBB_CONF"
what=nothing
cg_new app
cg_run app hotcold --status "$STATUS/app" 150 100
WORK=$CG_PID
up
for n in $(seq 30); do
	fault $((RANDOM % 8))
	note "$n: $what: $(held) MiB in the balloon"
	kill -0 "$WORK" || fail "the container died after '$what'"
done
broker=$(host do broker status)
note "$broker"
check "$(vmstat_of oom_kill) == 0" "nothing was killed"
rm -f "$STATUS/app"
kill -HUP "$WORK"
wait_for 120 test -s "$STATUS/app" || fail "no verification"
check "$(work_status app corrupt) == 0" "every byte is as it was"
check_cmd "ebbd ends well" stop_ebbd
what='the end' && must_be_full
