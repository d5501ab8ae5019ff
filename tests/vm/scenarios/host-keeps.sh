# A host that keeps what it is given, here because the VM's memory is locked: the guest finds out from what the broker
# tells, switches the means off, and says why.
# kernels: -
# also: 6.12
# mem: 2G
# broker: min=256M,shrink=2G
# qemu: -object memory-backend-ram,id=locked,size=2048M -machine memory-backend=locked -overcommit mem-lock=on
# timeout: 400

# means NAME: "on" or why not.
means()
{
	ebb status -o json | jq -r --arg name "$1" '.means[] | select(.name == $name) | if .on then "on" else .reason end'
}
is_off()
{
	[ "$(means "$1")" = host-keeps ]
}
open()
{
	[ "$(held)" -le 4 ]
}

start_ebbd </dev/null
check "$(host do broker check | jq '[.[0].findings[] | select(.setting == "mlock" and .level == "wrong")] | length') == 1" \
	"the host's check says what is wrong"
wait_for 200 is_off balloon || { ebb status; fail "the balloon is '$(means balloon)'"; }
note "the balloon had $(held) MiB; the VMM holds $(($(ebb status -o json | jq .balloon.resident) >> 20))"
wait_for 20 open || fail "the balloon still has $(held) MiB"
check "$(ebb status -o json | jq '.balloon.reason == "useless" | if . then 1 else 0 end') == 1" "the full size is asked for"
wait_for 200 is_off reporting || { ebb status; fail "page reporting is '$(means reporting)'"; }
[ "$(means compaction)" = no-reporting ] || fail "compaction is '$(means compaction)'"
ebb status
check "$(ebb status | grep -c 'the VMM still held what it gave') >= 1" "a person is told"
check_cmd "ebbd ends well" stop_ebbd
