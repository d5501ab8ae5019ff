# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The stages of tests/check. Each prints `PASS NAME`, `FAIL NAME: WHY` or `SKIP NAME: WHY` at the
# beginning of a line for every test, and whatever else helps, indented.

indent() {
	sed 's/^/    /'
}

# step NAME COMMAND...: one test that is a command; its output is shown when it fails.
step() {
	local name=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	if [ "$status" = 0 ]; then
		echo "PASS $name"
	else
		# Without the lines that say what was made: what failed is among hundreds of them.
		printf '%s\n' "$out" | grep -vE '^  [A-Z-]+ +[^ ]+$' | tail -n 200 | indent
		echo "FAIL $name: status $status"
	fi
	return "$status"
}

# passes_on NAME COMMAND...: runs something that prints such lines itself; they are passed on with
# the name before theirs. Its closing line, where it has one, must agree with them.
passes_on() {
	local name=$1 out=$LOGS/$1.out status lines closing
	shift
	"$@" 2>&1 | tee "$out" |
		sed -u -E "s/^(PASS|FAIL|SKIP)[ :] */\\1 $name: /; t; s/^/    /"
	status=${PIPESTATUS[0]}
	lines=$(awk '/^PASS[ :]/ { p++ } /^FAIL[ :]/ { f++ } /^SKIP[ :]/ { s++ }
		END { printf "%d passed, %d failed, %d skipped", p, f, s }' "$out")
	closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$out" | tail -n 1)
	if [ -n "$closing" ] && [ "$closing" != "$lines" ]; then
		echo "FAIL $name: it says '$closing', but its lines say '$lines'"
	elif [ "$status" != 0 ] && ! grep -q '^FAIL[ :]' "$out"; then
		echo "FAIL $name: ended with status $status"
	fi
}

# The lint runs beside the build, so it has a build folder of its own.
lint_make() {
	O=$O/lint make_ "$@"
}

stage_lint() {
	local part
	for part in format tidy cppcheck shell man purity; do
		lint_part "$part"
	done
	lint_make lint-size
}

lint_part() {
	local why
	if why=$(lint_make -s "lint-$1-missing"); [ -n "$why" ]; then
		echo "SKIP lint $1: ${why##*: }"
	else
		step "lint $1" lint_make -k "lint-$1"
	fi
}

stage_build() {
	local root=$O/root
	step "build without a warning" make_ all || return 0
	step "build: nothing is left to do" nothing_left
	rm -rf "$root"
	step "install" make_ install DESTDIR="$root" || return 0
	step "install: the installed programs start" installed_start "$root"
	step "install: what goes beside them" installed_beside "$root"
	step "uninstall" make_ uninstall DESTDIR="$root"
	step "uninstall leaves nothing" test -z "$(find "$root" -mindepth 1)"
}

nothing_left() {
	local out
	out=$(make_ all) || return 1
	[ -z "$out" ] || echo "built again: $out"
	[ -z "$out" ]
}

installed_start() {
	local bin
	bin=$(find "$1" -type f -name ebb -perm -u+x)
	"$bin" version && "$(find "$1" -type f -path '*/sbin/ebbd')" --check-config --config \
		"$(find "$1" -name ebb.conf -path '*/ebb/*')" || return 1
	[ -n "$(find "$1" -path '*/systemd/system/ebb-broker.service')" ] &&
		sed '/^;watch/d; s/^;\([^ ]\)/\1/' "$(find "$1" -name ebb-broker.conf.example)" >"$1/broker.conf" &&
		"$(find "$1" -type f -path '*/sbin/ebb-broker')" --check-config --config "$1/broker.conf" || return 1
	rm "$1/broker.conf"
}

installed_beside() {
	local program file
	for program in ebb ebbd ebb-exporter ebb-broker; do
		for file in "man/man[18]/$program.[18]" "bash-completion/completions/$program" \
			"fish/vendor_completions.d/$program.fish"; do
			[ -n "$(find "$1" -path "*/share/$file")" ] || { echo "not there: $file" && return 1; }
		done
	done
	for file in share/zsh/site-functions/_ebb lib/sysusers.d/ebb.conf lib/sysusers.d/ebb-exporter.conf \
		lib/tmpfiles.d/ebb.conf lib/systemd/system/ebbd.service lib/systemd/system/ebb-exporter.service \
		share/ebb/grafana/ebb.json share/ebb/prometheus/ebb.rules.yml share/ebb/openrc/ebbd \
		share/ebb/openrc/ebb-exporter share/ebb/systemd/ebb-exporter-tls.conf; do
		[ -n "$(find "$1" -path "*/$file")" ] || { echo "not there: $file" && return 1; }
	done
	# A path that was not filled in would start nothing.
	! grep -rn '@[A-Z]*@' "$1"/usr/local/lib/systemd || return 1
}

# TAP from cmocka to our lines. cmocka 1.1.5 prints a skipped test as `not ok N # SKIP NAME`, later
# ones as `ok N # SKIP NAME`. Why it was, is what the test printed last.
unit_lines() { # name, output, exit status
	awk -v unit="$1" -v status="$3" '
		function line(verdict) {
			name = $0
			sub(/^(not )?ok [0-9]+ *(- |# SKIP *)?/, "", name)
			reason = verdict == "SKIP" ? ": " (said == "" ? "it does not say why" : said) : ""
			print verdict " unit " unit ": " name reason
			said = ""
			seen++
		}
		/^TAP version/ { next }
		/^1\.\.[0-9]+$/ { planned += substr($0, 4); next }
		/^(not )?ok [0-9]+ # SKIP/ { line("SKIP"); next }
		/^ok [0-9]+/ { line("PASS"); next }
		/^not ok [0-9]+/ { line("FAIL"); failed++; next }
		!/^#/ && NF { said = $0 }
		END {
			if (seen < planned || (status != 0 && !failed))
				printf "FAIL unit %s: ended with status %d after %d of %d tests\n",
					unit, status, seen, planned
			else if (!seen)
				printf "FAIL unit %s: no test in it\n", unit
		}' "$2"
}

stage_unit() {
	local name out status
	build_all unit-build unit 'tests/unit/test_*.c' test_
	for name in "${built[@]}"; do
		out=$LOGS/unit-$name.out
		CMOCKA_MESSAGE_OUTPUT=TAP timeout --foreground -k 5 300 "$O/unit/$name" >"$out" 2>&1
		status=$?
		unit_lines "$name" "$out" "$status" >"$out.lines"
		! grep -q '^FAIL' "$out.lines" || indent <"$out"
		cat "$out.lines"
	done
	if command -v python3 >/dev/null; then
		step "unit bench" python3 tests/bench/test_bench.py
	else
		echo "SKIP unit bench: no python3"
	fi
}

# Builds what the globs match and sets built to the names of what could be; the rest has failed.
build_all() { # goal, folder, globs, prefix to drop
	local out ok=1 file name files=()
	built=()
	# shellcheck disable=SC2206 # the globs are to be expanded
	files=($3)
	out=$(make_ -k "$1" 2>&1) || ok=0
	[ "$ok" = 1 ] || indent <<<"$out"
	for file in "${files[@]}"; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .c)
		name=${name#"$4"}
		if [ "$ok" = 1 ] || make_ "$O/$2/$name" >/dev/null 2>&1; then
			built+=("$name")
		else
			echo "FAIL $2 $name: it does not build"
		fi
	done
}

stage_fuzz() {
	local name out
	build_all fuzz-build fuzz 'tests/fuzz/*.c' ''
	for name in "${built[@]}"; do
		out=$LOGS/fuzz-$name.out
		if timeout --foreground -k 5 120 "$O/fuzz/$name" "tests/fuzz/corpus/$name" >"$out" 2>&1; then
			echo "PASS fuzz $name: $(tail -n 1 "$out")"
		else
			indent <"$out"
			echo "FAIL fuzz $name: its corpus does not pass"
		fi
	done
}

# The command lines, the shells' completions, and `ebb top` on a terminal.
stage_cli() {
	step "cli: the build" make_ all web-build || return 0
	passes_on cli timeout --foreground -k 10 120 tests/cli/run "$O"
	passes_on top timeout --foreground -k 10 120 tests/top/run "$O"
}

# The exporter before promtool, Prometheus and a browser.
stage_web() {
	step "web: the build" make_ web-build || return 0
	passes_on web timeout --foreground -k 10 400 tests/browser/run "$O"
}

stage_bpf() {
	local name out status args
	if [ "$(id -u)" != 0 ]; then
		echo "SKIP bpf: loading programs needs root"
		return
	fi
	build_all bpf-build bpftest 'tests/bpf/test_*.c tests/bpf/*_check.c' ''
	for name in "${built[@]}"; do
		out=$LOGS/bpf-$name.out
		# By itself it takes 20 pairs of runs, more than three minutes: docs/kernels.md has those figures.
		args=()
		[ "$name" != overhead_check ] || args=(8)
		timeout --foreground -k 5 300 "$O/bpftest/$name" "${args[@]}" >"$out" 2>&1
		status=$?
		sed -E 's/^(PASS|FAIL|SKIP):? +/\1 bpf '"$name"': /; t; s/^/    /' "$out"
		if [ "$status" != 0 ] && ! grep -q '^FAIL' "$out"; then
			echo "FAIL bpf $name: ended with status $status"
		elif ! grep -qE '^(PASS|FAIL|SKIP)' "$out"; then
			echo "FAIL bpf $name: nothing ran"
		fi
	done
}

stage_debian13() {
	local why
	if why=$(tests/debian13 --cannot); [ -n "$why" ]; then
		echo "SKIP debian13: $why"
		return
	fi
	passes_on debian13 env JOBS="${JOBS:-$NPROC}" tests/debian13
}

# Kernels and images, while the processor has other work; what cannot be had, the stage will say.
prefetch_vm() {
	local kernel
	for kernel in 6.1 6.12 7.2; do
		tests/vm/kernel "$kernel"
	done
	tests/vm/image base
}

stage_vm() {
	step "vm: the build" make_ all bpf-build || return 0
	passes_on vm timeout --foreground -k 60 2700 tests/vm/all --build "$O"
}
