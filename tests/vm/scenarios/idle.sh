# A hundred idle containers: what ebbd costs.
# kernels: 6.12
# mem: 1G
# timeout: 240

start_ebbd </dev/null
for i in $(seq 100); do
	cg_new "idle$i"
	cg_run "idle$i" sleeper
done
wait_for 20 bash -c "(( \$(ebb list -o json | jq length) >= 100 ))" || fail "not all are listed: $(ebb list -o json | jq length)"
sleep 10 # births are over
begun=$(ebbd_ticks) at=$SECONDS
sleep 40
used=$(($(ebbd_ticks) - begun)) took=$((SECONDS - at))
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$EBBD_PID/status")
note "$used ticks of 10 ms in $took s (under emulation), $rss KiB resident: $(grep -E 'Rss|Vm(RSS|Data)' "/proc/$EBBD_PID/status" | tr -s '\t\n ' ' ')"
check "$rss <= 8 * 1024" "ebbd holds at most 8 MiB"
# An emulated core is slower than a real one: the same work on both says by how much.
here=$(calibrate) there=$(host do calibrate)
note "a fixed piece of work takes $here us of CPU here and $there on the host"
check "$here > 0 && $there > 0" "the two can be compared"
# Ticks are 10 ms. Never less than a core of this machine, whatever the comparison says.
((here >= there)) || here=$there
check "$used * 10 * 1000 * $there <= $took * 1000 * 2 * $here" "and takes at most 0.2% of a real core"
check_cmd "ebbd ends well" stop_ebbd
