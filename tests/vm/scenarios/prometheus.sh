# Prometheus reads the exporter of a real ebbd, in both formats: every query of the dashboard has data, the rules load,
# and alerts fire on what they are for.
# kernels: -
# also: 6.12
# broker: min=256M --listen 127.0.0.1:19466
# mem: 2G
# timeout: 1500
# image: engines
# add: docs/prometheus docs/grafana

EXPORTER=http://127.0.0.1:9465
PROMETHEUS=http://127.0.0.1:9090

in_background()
{
	"$@" >>/run/prometheus.log 2>&1 9>&- &
}

start_exporter()
{
	in_background ebb-exporter --config "$EBB_CONF" "$@"
	exporter=$!
	wait_for 60 curl -sf -o /dev/null $EXPORTER/healthz || fail "the exporter does not come up"
}

# query EXPRESSION: the result, as JSON
query()
{
	curl -sfG $PROMETHEUS/api/v1/query --data-urlencode "query=$1" | jq -c .data.result
}

has_data()
{
	local result
	result=$(query "$1")
	[ "$(jq 'length' <<<"$result")" != 0 ] && ! jq -e 'any(.[]; .value[1] == "NaN")' <<<"$result" >/dev/null
}

fires()
{
	query "ALERTS{alertname=\"$1\",alertstate=\"firing\"}" | jq -e 'length > 0' >/dev/null
}

must_fire() # ALERT WHEN
{
	wait_for 200 fires "$1" || {
		curl -sf "$PROMETHEUS/api/v1/rules" | jq -c --arg name "$1" '.data.groups[].rules[] | select(.name == $name)'
		fail "$1 does not fire: $2"
	}
	echo "  ok  $1 fires: $2"
}

not_yet() # ALERT
{
	! fires "$1" || fail "$1 fires before anything is done for it"
}

# start_prometheus: minutes of the rules are 8 s here, and no alert waits longer than 3.
start_prometheus()
{
	awk '{
		sub(/for: [0-9]+[mh]/, "for: 3s")
		while (match($0, /\[[0-9]+m\]/)) {
			n = substr($0, RSTART + 1, RLENGTH - 3) * 8
			$0 = substr($0, 1, RSTART) n "s" substr($0, RSTART + RLENGTH - 1)
		}
		print
	}' /ebb/extra/prometheus/ebb.rules.yml >/run/ebb.rules.yml
	cat >/run/prometheus.yml <<-EOF
		global: { scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 2s }
		rule_files: [/run/ebb.rules.yml]
		scrape_configs:
		  - job_name: ebb
		    static_configs: [{ targets: ["127.0.0.1:9465"] }]
		  - job_name: text
		    scrape_protocols: [PrometheusText0.0.4]
		    static_configs: [{ targets: ["127.0.0.1:9465"] }]
		  - job_name: ebb-broker
		    static_configs: [{ targets: ["127.0.0.1:9466"] }]
	EOF
	check_cmd "promtool: configuration and rules" promtool check config /run/prometheus.yml
	in_background prometheus --config.file=/run/prometheus.yml --storage.tsdb.path=/run/tsdb --log.level=warn \
		--web.listen-address=127.0.0.1:9090
	wait_for 120 curl -sf -o /dev/null $PROMETHEUS/-/ready || { tail /run/prometheus.log; fail "Prometheus does not come up"; }
}

# Nothing is read that was written for it: opening fails, as it would where a security module forbids it.
forbid_reclaim()
{
	mount --bind "$1/memory.reclaim" "$1/memory.reclaim"
	mount -o remount,bind,ro "$1/memory.reclaim"
}

# serve FILE: at the port where a broker's metrics are looked for; in a shell of its own, as the next one.
serve()
{
	exec perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9466", Listen => 5, ReuseAddr => 1) or die;
		while (my $c = $s->accept) {
			while (<$c>) { last if /^\r?$/ }
			open(my $f, "<", $ARGV[0]) or die;
			print $c "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n", <$f>;
			close $c;
		}' "$1"
}

# Asks ebbd without a pause.
ask_on_and_on()
{
	exec perl -MIO::Socket::UNIX -e '
		for (;;) {
			my $s = IO::Socket::UNIX->new("/run/ebb/ebbd.sock") or die;
			print $s "{\"cmd\":\"list\"}\n";
			$s->flush; my $answer = <$s>;
		}'
}

taken()
{
	(($(ebb_of app reclaimed_total) >= $1 << 20))
}

zram_swap 300
thp never
start_ebbd <<EOF
[ebb]
cold_after = 5s
cap = 2G
EOF
start_exporter
start_prometheus
podman_run web -- redis-server --save "" --port 0 --unixsocket /tmp/redis

# What is taken comes back at once: hotcold reads all that it has.
cg_new app
cg_run app hotcold --status "$STATUS/app" 220 20
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
wait_for 300 taken 150 || fail "nothing was taken: $(ebb list)"
kill -HUP "$CG_PID"
must_fire EbbTakesTooMuch "all that was taken came back"

# --- the formats, the dashboard, the rules ---

for job in ebb text; do
	wait_for 60 has_data "count_over_time(ebb_up{job=\"$job\"}[1m]) >= 5" || fail "no samples of $job"
	check "$(query "up{job=\"$job\"}" | jq -r '.[0].value[1]') == 1" "the target $job is up"
done
as_many()
{
	local ebb text
	ebb=$(query 'count({job="ebb",__name__=~"ebb_.*"})' | jq -r '.[0].value[1]')
	text=$(query 'count({job="text",__name__=~"ebb_.*"})' | jq -r '.[0].value[1]')
	[ "$ebb" = "$text" ] && [ "$ebb" -gt 50 ]
}
wait_for 60 as_many || fail "the formats do not have the same number of series"
note "both formats have the same number of series"
type_of()
{
	curl -sf -o /dev/null -w '%{content_type}' -H "Accept: $1" $EXPORTER/metrics
}
check_cmd "OpenMetrics for who asks for it" test \
	"$(type_of 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1')" = \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"
check_cmd "text for all others" test "$(type_of 'text/plain;version=0.0.4')" = "text/plain; version=0.0.4; charset=utf-8"
check_cmd "OpenMetrics ends in # EOF" test \
	"$(curl -sf -H 'Accept: application/openmetrics-text;version=1.0.0' $EXPORTER/metrics | tail -n 1)" = "# EOF"
curl -sf $EXPORTER/metrics >/run/metrics
check_cmd "promtool: the metrics" bash -c '[ -z "$(promtool check metrics </run/metrics 2>&1)" ]'
note "$(grep -vc '^#' /run/metrics) series in $(wc -c </run/metrics) bytes"

asked=0 empty=''
while IFS= read -r expr; do
	expr=${expr//'$__rate_interval'/30s}
	expr=${expr//'$__range'/1m}
	expr=${expr//'$instance'/.*}
	expr=${expr//'$container'/.*}
	asked=$((asked + 1))
	wait_for 20 has_data "$expr" || empty+="$expr; "
done < <(jq -r '.panels[].targets[].expr' /ebb/extra/grafana/ebb.json)
check_cmd "each of the $asked queries of the dashboard has data: $empty" test -z "$empty"
check "$(curl -sf "$PROMETHEUS/api/v1/rules" | jq '[.data.groups[].rules[] | select(.health == "ok")] | length') == $(
	grep -c -- '- alert:' /ebb/extra/prometheus/ebb.rules.yml)" "all rules are evaluated"

# --- more alerts ---

ebb pause >/dev/null
must_fire EbbPaused "ebb pause"
ebb resume >/dev/null

cg_new hog
echo 40M >"$CG/hog/memory.max"
cg_run hog hotcold --status "$STATUS/hog" 90 90
must_fire EbbContainerStalls "a container that needs twice of what it may have"
cg_kill hog

cg_new full
cg_run full hotcold --status "$STATUS/full" 320 1
wait_for 60 test -s "$STATUS/full" || fail "hotcold did not start"
for _ in 1 2 3 4 5; do
	echo 300M >"$CG/full/memory.reclaim" 2>/dev/null || true
done
must_fire EbbSwapFull "300 MiB of swap, all but used up"
cg_kill full

not_yet EbbActsFail
for i in 1 2 3 4 5 6; do
	cg_new "forbidden$i"
	forbid_reclaim "$CG/forbidden$i"
	cg_run "forbidden$i" hotcold 30 5
done
must_fire EbbActsFail "memory.reclaim of six containers cannot be written"
for i in 1 2 3 4 5 6; do
	umount "$CG/forbidden$i/memory.reclaim"
	cg_kill "forbidden$i"
done

# An ebbd that stands still with its window open (a debugger, say) cannot close it.
links()
{
	bpftool -j link list | jq length
}
caught_open()
{
	kill -STOP "$EBBD_PID"
	[ "$(links)" = "$closed" ] || return 0
	kill -CONT "$EBBD_PID"
	sleep 0.3
	return 1
}
not_yet EbbHooksOverBudget
closed=$(for _ in 1 2 3 4 5; do links; done | sort -n | head -n 1)
cg_new faulting
cg_run faulting bash -c 'while :; do /bin/true; done'
wait_for 120 caught_open || fail "no window is met open: $(links) links, $closed when it is closed"
sleep 30
kill -CONT "$EBBD_PID"
must_fire EbbHooksOverBudget "ebbd stood still for 30 s while its hooks were attached"
cg_kill faulting

for device in /sys/bus/virtio/drivers/virtio_balloon/virtio*; do
	echo "${device##*/}" >/sys/bus/virtio/drivers/virtio_balloon/unbind
done
must_fire EbbNoReporting "the VM lost its balloon"

stop_ebbd KILL || true
must_fire EbbDown "ebbd was killed"

# The broker is outside, where no Prometheus is: what it says of this VM is handed in.
no_lease()
{
	host do "broker metrics" | base64 -d >/run/broker.metrics
	grep -q '^ebb_broker_vm_leased{.*} 0' /run/broker.metrics
}
wait_for 60 no_lease || fail "the broker does not say that the lease is lost: $(cat /run/broker.metrics)"
in_background serve /run/broker.metrics
served=$!
must_fire EbbLeaseLost "ebbd was killed, and its VM runs"
kill "$served"

# The next one has less of its means, and only looks, so that its cap can be passed.
export EBB_NO_BPF=1
start_ebbd --dry-run <<EOF
[ebb]
cap = 500M
EOF
must_fire EbbSecondBest "no BPF"
not_yet EbbCostly
asking=()
for _ in 1 2 3; do
	in_background ask_on_and_on
	asking+=($!)
done
must_fire EbbCostly "three ask without a pause"
kill "${asking[@]}" || true
not_yet EbbStranded
echo 0 >/proc/sys/vm/compaction_proactiveness
cg_new scattered
cg_run scattered burn --keep 2 --status "$STATUS/scattered" 1200
wait_for 120 test -s "$STATUS/scattered" || fail "burn does not come to its end"
must_fire EbbStranded "every other page of 1.2 GiB is free, and nobody compacts"
cg_kill scattered
cg_new large
cg_run large hotcold --status "$STATUS/large" 500 500
must_fire EbbOverCap "more in use than the cap, and nobody holds it"
cg_kill large

kill "$exporter"
must_fire EbbExporterDown "the exporter was stopped"
start_exporter --max-containers 1
must_fire EbbContainersDropped "more containers than it may have series of"

must_fire EbbBrokerDown "no broker is running"
in_background ebb-broker --listen 127.0.0.1:9466 --vm name=gone,vmm=qmp:/run/gone.qmp,channel=/run/gone.ebb
must_fire EbbVmmLost "a VM whose QEMU does not answer"
