# shellcheck shell=bash
# oomd's senpai plugin (Debian's oomd) as it has been run since the kernel has memory.reclaim: it takes a share of the
# group's memory each interval of 6 s, as long as memory and I/O pressure are below 0.1%. Its own values for all but the knob.
# title: oomd senpai
# place: 3
# knob: max_probe, share of the group at a time
# values: 0.01 0.05 0.2
# default: 0.05
# quick: 0.05

controller_start()
{
	mkdir -p "$BENCH_OUT"
	jq -n --arg probe "$BENCH_VALUE" --arg group "$APP" '{version: "1.0.0", rulesets: [{name: "senpai",
		detectors: [["always", {name: "continue", args: {}}]],
		actions: [{name: "senpai", args: {cgroup: $group, immediate_backoff: "true", limit_min_bytes: "1048576",
			max_probe: $probe, log_interval: "10"}}]}]}' >"$BENCH_OUT/oomd.json"
	# Senpai's interval is in turns of oomd, which are 5 s unless told.
	controller_loop exec oomd --interval 1 --config "$BENCH_OUT/oomd.json" >"$BENCH_OUT/oomd.log" 2>&1
}

controller_acted()
{
	# "cgroup app N probe attempts (0.123 gb)", every log_interval
	awk '/probe attempts/ { for (i = 2; i < NF; i++) if ($i == "probe") n += $(i - 1)
			match($0, /\([0-9.]+ gb/); gb += substr($0, RSTART + 1, RLENGTH - 4) }
		END { if (n) printf "%d probes, asked for %d MiB\n", n, gb * 1024 }' "$BENCH_OUT/oomd.log"
}

controller_stop()
{
	controller_loop_end
	tail -n 3 "$BENCH_OUT/oomd.log"
}
