# A VM reserves its RAM and commits little of it: what it holds after boot and with ebbd, and what `ebb-broker check`
# says of a running one.
# kernels: -
# also: 6.12 7.2
# mem: 4G
# broker: -
# timeout: 150

booted=$(host_rss_mib)
note "right after boot $booted MiB of $(($(meminfo MemTotal) / 1024))"
check "$booted <= 4096 / 8" "an eighth of it at most is held after boot (MiB)"
start_ebbd </dev/null
broker_there()
{
	[ "$(ebb status -o json | jq -r .balloon.broker)" = true ]
}
wait_for 30 broker_there || fail 'no broker'
sleep 20
with=$(host_rss_mib)
resident=$(host do broker status | jq .vms[0].resident)
note "with ebbd $with MiB; its VMM's process holds $((resident >> 20))"
check "$with <= 4096 / 8" "an eighth of it at most with ebbd (MiB)"
# The VMM's own memory and what KVM or the emulator need come on top.
check "$resident >= $with << 20 && $resident <= ($with + 400) << 20" "the broker sees what is held (bytes)"
found=$(host do broker check)
jq -r '.[0].findings[] | "    \(.level) \(.setting): \(.text)"' <<<"$found"
check "$(jq '[.[0].findings[] | select(.level == "good")] | length' <<<"$found") >= 8" "what is as it should be"
check "$(jq '[.[0].findings[] | select(.level == "wrong" or .level == "unknown")] | length' <<<"$found") == 0" \
	"nothing is wrong with this VM"
check_cmd "ebbd ends well" stop_ebbd
