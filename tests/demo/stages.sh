# shellcheck shell=bash
# Progress of the demo's preparation: a list of stages, the one under way with what it does, and
# about how long all of it still takes: each stage as long as the last time, or as is usual.

declare -A STAGE_USUAL=([packages]=60 [build]=45 [kernel]=45 [image]=75 [boot]=30)
declare -A STAGE_TEXT=(
	[packages]='Debian packages'
	[build]='ebb and the demo'
	[kernel]='Linux 6.12 for the VM'
	[image]='the VM'"'"'s disk'
	[boot]='booting the VM'
)
declare -A STAGE_TOOK=() STAGE_THERE=()
STAGES=() STAGE='' STAGE_LOG='' STAGE_AT=0 STAGE_LINES=0 STAGE_PRINTED=0 STAGE_WAITED=0 STAGE_LEFT='' STAGE_ROOM=48
STAGE_TTY='' STAGE_UTF8=''
[ ! -t 1 ] || [ "${TERM:-dumb}" = dumb ] || STAGE_TTY=1
STAGE_BOLD='' STAGE_DIM='' STAGE_PLAIN=''
if [ -n "$STAGE_TTY" ] && [ -z "${NO_COLOR:-}" ]; then
	STAGE_BOLD=$'\e[1m' STAGE_DIM=$'\e[2m' STAGE_PLAIN=$'\e[0m'
fi

stages_start()
{
	local name
	STAGES=("$@")
	for name; do
		! stage_is_there "$name" || STAGE_THERE[$name]=1
	done
	case ${LOCALE:-} in
	*[Uu][Tt][Ff]8* | *[Uu][Tt][Ff]-8*) [ "${TERM:-}" = linux ] || STAGE_UTF8=1 ;;
	esac
	mkdir -p "$CACHE/timings"
	if [ -n "$STAGE_TTY" ]; then
		printf '\e[?25l\n %sebb demo%s: preparing; what is there already is not made again\n' \
			"$STAGE_BOLD" "$STAGE_PLAIN"
	else
		echo "ebb demo: preparing"
	fi
}

stages_end()
{
	if [ -n "$STAGE_TTY" ]; then
		# The line of what is left, below the list.
		((STAGE_LINES == 0)) || printf '\e[1A\r\e[K'
		printf '\e[0m\e[?25h'
	fi
	STAGE='' STAGE_LINES=0
}

# Whether an earlier run has done most of it. A guess: each stage finds out for itself.
stage_is_there()
{
	case $1 in
	packages) .ci/deps --missing build demo >/dev/null 2>&1 ;;
	build) [ -x "$O/ebbd" ] ;;
	kernel) compgen -G "$CACHE/kernel-6.12-*/release" >/dev/null ;;
	image) compgen -G "$CACHE/image-demo-*.ext4" >/dev/null ;;
	*) return 1 ;;
	esac
}

# Seconds that a stage is expected to take.
stage_expected()
{
	local seconds=${STAGE_USUAL[$1]} learned
	if [ -n "${STAGE_THERE[$1]:-}" ]; then
		seconds=2
	elif [ -s "$CACHE/timings/demo-$1" ] && read -r learned <"$CACHE/timings/demo-$1" &&
		[[ $learned =~ ^[0-9]+$ ]]; then
		seconds=$learned
	fi
	echo "$seconds"
}

stage_begin()
{
	STAGE=$1 STAGE_LOG=$2 STAGE_AT=$SECONDS STAGE_PRINTED=-10 STAGE_WAITED=0
	# A line that wraps would be two where the list is drawn anew.
	local columns=80
	[ -z "$STAGE_TTY" ] || columns=$(stty size 2>/dev/null </dev/tty || echo 24 80)
	columns=${columns#* }
	STAGE_ROOM=$((columns > 45 ? columns - 36 : 11))
	stage_draw
}

# The last line of the log without the time before it.
stage_detail()
{
	tail -c 400 "$STAGE_LOG" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 |
		sed -E 's/\x1b\[[0-9;]*[A-Za-z]//g; s/^ *[0-9]+s  //; s/^ *//' | cut -c1-"$STAGE_ROOM" || true
}

# How long the others take is not known: what this one waits for them counts as if it had not begun.
stage_left()
{
	local detail=$1 left name seen='' after=''
	case $detail in
	*waiting*) STAGE_WAITED=$((SECONDS - STAGE_AT)) after=', once it has' ;;
	esac
	left=$(($(stage_expected "$STAGE") - (SECONDS - STAGE_AT - STAGE_WAITED)))
	[[ ! $detail =~ about\ ([0-9]+)s\ left ]] || left=${BASH_REMATCH[1]}
	((left > 1)) || left=1
	for name in "${STAGES[@]}"; do
		[ -z "$seen" ] || left=$((left + $(stage_expected "$name")))
		[ "$name" != "$STAGE" ] || seen=1
	done
	printf -v STAGE_LEFT 'about %s%d:%02d%s left%s' "$STAGE_BOLD" $((left / 60)) $((left % 60)) \
		"$STAGE_PLAIN" "$after"
}

stage_draw()
{
	local detail name mark line ok='+' now='>' later=' '
	[ -z "$STAGE_UTF8" ] || ok='✓' now='▸' later='·'
	detail=$(stage_detail)
	stage_left "$detail"
	if [ -z "$STAGE_TTY" ]; then
		((SECONDS - STAGE_PRINTED >= 10)) || return 0
		STAGE_PRINTED=$SECONDS
		printf '  %-22s %4ds  %s%s\n' "${STAGE_TEXT[$STAGE]}" \
			$((SECONDS - STAGE_AT)) "$STAGE_LEFT" "${detail:+; $detail}"
		return 0
	fi
	((STAGE_LINES == 0)) || printf '\e[%dA' "$STAGE_LINES"
	STAGE_LINES=0
	for name in "${STAGES[@]}"; do
		mark=$later line=''
		if [ -n "${STAGE_TOOK[$name]:-}" ]; then
			mark=$ok
			printf -v line '%4ds' "${STAGE_TOOK[$name]}"
		elif [ "$name" = "$STAGE" ]; then
			mark=$now
			printf -v line '%4ds  %s' $((SECONDS - STAGE_AT)) "$detail"
		fi
		[ "$mark" != "$later" ] || line="$STAGE_DIM  about $(stage_expected "$name")s"
		printf '\r\e[K   %s %-22s %s%s\n' "$mark" "${STAGE_TEXT[$name]}" "$line" "$STAGE_PLAIN"
		STAGE_LINES=$((STAGE_LINES + 1))
	done
	printf '\r\e[K   %s\n' "$STAGE_LEFT"
	STAGE_LINES=$((STAGE_LINES + 1))
}

stage_done()
{
	STAGE_TOOK[$STAGE]=$((SECONDS - STAGE_AT))
	[ -n "${STAGE_THERE[$STAGE]:-}" ] ||
		echo $((STAGE_TOOK[$STAGE] - STAGE_WAITED)) >"$CACHE/timings/demo-$STAGE"
	if [ -n "$STAGE_TTY" ]; then
		stage_draw
	else
		printf '  %-22s %4ds  done\n' "${STAGE_TEXT[$STAGE]}" "${STAGE_TOOK[$STAGE]}"
	fi
}

# stage_failed LOG...: shows the ends of the logs, keeps them, and ends the demo.
stage_failed()
{
	local log kept=$O/demo/failed
	stages_end
	rm -rf "$kept"
	mkdir -p "$kept"
	for log; do
		[ -s "$log" ] || continue
		cp "$log" "$kept/"
		printf '\n--- the end of %s\n' "$kept/${log##*/}" >&2
		tail -n 20 "$log" >&2
	done
	printf '\nerror: the demo failed; the logs are in %s\n' "$kept" >&2
	exit 1
}
