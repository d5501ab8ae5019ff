# shellcheck shell=bash
# What the host-side scripts share: where things are cached, progress, a private apt, locking.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOP=$(cd "$VM_DIR/../.." && pwd)
CACHE=${EBB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ebb}
KEYRING=${EBB_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
START=$SECONDS
export VM_DIR TOP CACHE LC_ALL=C

# mke2fs, modprobe and losetup live there, and a plain user's PATH lacks it.
PATH=$PATH:/usr/sbin:/sbin

die()
{
	progress_end
	printf 'error: %s\n' "$*" >&2
	exit 1
}

need()
{
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			die "$tool is missing; run 'make deps' as root (it installs what the VM tests need)"
	done
}

# --- progress ----------------------------------------------------------------
# One line a step. On a terminal the line is redrawn in place; elsewhere it is printed when
# the step begins, every ten seconds, and when it ends.

PROGRESS_WHAT='' PROGRESS_DRAWN=0 PROGRESS_LAST=0

progress()
{
	local what=$1 detail=${2:-} line
	printf -v line '%4ds  %s%s' $((SECONDS - START)) "$what" "${detail:+: $detail}"
	if [ -t 2 ]; then
		printf '\r\033[K%s' "${line:0:${COLUMNS:-100}}" >&2
		PROGRESS_DRAWN=1
	elif [ "$what" != "$PROGRESS_WHAT" ] || ((SECONDS - PROGRESS_LAST >= 10)); then
		printf '%s\n' "$line" >&2
		PROGRESS_LAST=$SECONDS
	fi
	PROGRESS_WHAT=$what
}

# shellcheck disable=SC2120 # its text is optional
progress_end()
{
	[ "$PROGRESS_DRAWN" = 0 ] || printf '\r\033[K' >&2
	PROGRESS_DRAWN=0
	[ $# = 0 ] || printf '%4ds  %s\n' $((SECONDS - START)) "$*" >&2
}

# Reads a command's output, counts the lines that match, and shows how far it is. The number of
# lines is that of the last complete run (or a guess for the first); so is the estimate.
progress_count()
{
	local what=$1 pattern=$2 expect=$3 file=$CACHE/timings/$4 log=$5 seconds=$6
	local n=0 line detail left begun=$SECONDS
	mkdir -p "$CACHE/timings"
	[ ! -s "$file" ] || read -r expect seconds <"$file"
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$log"
		[[ $line =~ $pattern ]] || continue
		n=$((n + 1))
		left=$((seconds - (SECONDS - begun)))
		printf -v detail '%d%%' $((n < expect ? n * 100 / expect : 99))
		((left <= 1)) || detail+=", about ${left}s left"
		progress "$what" "$detail"
	done
	if [ "$n" -gt 0 ]; then
		echo "$n $((SECONDS - begun))" >"$file"
	fi
}

# --- cache -------------------------------------------------------------------

# Runs the rest of the script under a lock, so that two runs build a thing once and share it.
cache_lock()
{
	mkdir -p "$CACHE" || die "cannot create the cache folder $CACHE"
	exec 8>"$CACHE/$1.lock"
	if ! flock -n 8; then
		progress "$1" "another run is preparing it, waiting"
		flock 8
		progress_end
	fi
}

# cache_used THING PREFIX: what an older state of the scripts made goes when nobody used it for days.
cache_used()
{
	touch -c "$1"
	find "$CACHE" -maxdepth 1 -name "$2-*" ! -path "$1" -mtime +3 -exec rm -rf {} + 2>/dev/null || true
}

hash_of()
{
	sha256sum | cut -c1-12
}

# --- a private apt -----------------------------------------------------------
# The host's sources are never changed. Its mirror and its proxy settings are used.

mirror()
{
	local kind=$1 suffix uri
	[ "$kind" = security ] && suffix=debian-security || suffix=debian
	if [ -n "${EBB_MIRROR:-}" ]; then
		uri=${EBB_MIRROR%/}
		[ "$kind" = security ] && uri=$uri-security
	else
		# shellcheck disable=SC2016 # apt's own placeholder
		uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
			sed 's,/*$,,' | grep -m1 -E "/$suffix\$" || true)
	fi
	echo "${uri:-http://deb.debian.org/$suffix}"
}

sources_of()
{
	local suite=$1
	echo "deb [signed-by=$KEYRING] $(mirror main) $suite main"
	case $suite in
	sid | unstable) ;;
	*) echo "deb [signed-by=$KEYRING] $(mirror security) $suite-security main" ;;
	esac
}

# The host's settings of how to fetch (proxy, validity dates), in apt.conf syntax.
apt_fetch_options()
{
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Retries|ForceIPv)' |
		grep -v ' "";$' || true
}

apt_private()
{
	local suite=$1 dir=$CACHE/apt/$1
	mkdir -p "$dir"/{lists/partial,archives/partial,etc}
	sources_of "$suite" >"$dir/etc/sources.list"
	{
		cat <<-CONF
			Dir::State "$dir";
			Dir::State::lists "$dir/lists";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir";
			Dir::Cache::archives "$dir/archives";
			Dir::Etc::sourcelist "$dir/etc/sources.list";
			Dir::Etc::sourceparts "/dev/null";
			APT::Architecture "$(dpkg --print-architecture)";
			APT::Sandbox::User "root";
			Acquire::Languages "none";
			Acquire::Retries "3";
		CONF
	} >"$dir/apt.conf"
	: >"$dir/status"
	export APT_CONFIG=$dir/apt.conf
	if [ -z "$(find "$dir/fresh" -mmin -60 2>/dev/null)" ]; then
		apt-get -qq update >"$dir/log" 2>&1 ||
			die "apt cannot read $suite from $(mirror main): $(grep -m1 '^E:' "$dir/log")"
		touch "$dir/fresh"
	fi
}
