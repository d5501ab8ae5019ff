# One real container of each engine, and a pod through containerd's CRI: all are listed by name, runtime, image and pod;
# names that a container chose to do harm come out harmless in the terminal, JSON, metrics and API.
# kernels: -
# also: 6.12
# mem: 2G
# timeout: 900
# image: engines

ROOT=/run/rootfs # of all: one static program
LONG=$(printf 'n%.0s' $(seq 3000))
EVIL=$'<script>alert(1)</script>"\'\n\e[31m\e]0;owned\a\xe2\x80\xaegnp\xc2\x9b'

as_service()
{
	"$@" >>/run/engines.log 2>&1 9>&- &
}

# engine_up NAME COMMAND...: waits until that succeeds
engine_up()
{
	wait_for 120 "${@:2}" || {
		tail -n 20 /run/engines.log
		fail "$1 does not come up"
	}
}

# is_listed NAME RUNTIME IMAGE [POD NAMESPACE]
is_listed()
{
	ebb list -o json | jq -e --arg name "$1" --arg runtime "$2" --arg image "$3" --arg pod "${4:-}" --arg ns "${5:-}" \
		'any(.[]; .name == $name and .runtime == $runtime and .image == $image and
			(.pod // "") == $pod and (.namespace // "") == $ns)' >/dev/null
}

check_listed()
{
	wait_for 40 is_listed "$@" || {
		ebb list -o json | jq -c '.[] | [.name, .runtime, .image, .pod, .namespace, .path]'
		fail "not listed: $*"
	}
	echo "  ok  ${2}: $(printf %q "${1:0:60}")${3:+ of $3}${4:+ in pod $5/$4}"
}

# --- CRI: gRPC by hand, since Debian has no client for it. Messages are built as hexadecimal text. ---

hex()
{
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}

varint()
{
	local n=$1
	while ((n > 127)); do
		printf %02x $((n & 127 | 128))
		n=$((n >> 7))
	done
	printf %02x "$n"
}

message() # FIELD HEX
{
	varint $(($1 << 3 | 2))
	varint $((${#2} / 2))
	printf %s "$2"
}

text() # FIELD TEXT
{
	message "$1" "$(hex "$2")"
}

enum() # FIELD NUMBER
{
	varint $(($1 << 3))
	varint "$2"
}

# cri METHOD HEX: the first field of the answer, which in all of these is an id
cri()
{
	local answer
	printf '00%08x%s' $((${#2} / 2)) "$2" | tr a-f A-F | basenc --base16 -d >/run/cri.request
	answer=$(curl -sS --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock -H 'te: trailers' \
		-H 'content-type: application/grpc' --data-binary @/run/cri.request -D /run/cri.headers \
		"http://localhost/runtime.v1.RuntimeService/$1" | od -An -v -tx1 | tr -d ' \n')
	if [ ${#answer} -le 10 ]; then
		grep -q '^grpc-status: 0' /run/cri.headers || {
			cat /run/cri.headers >&2
			return 1
		}
		return 0
	fi
	# 5 bytes of gRPC's, a tag, a length below 128.
	printf %s "${answer:14:$((2 * 16#${answer:12:2}))}" | tr a-f A-F | basenc --base16 -d
}

# pod_config NAME NAMESPACE PARENT: of a pod on the host's network, which needs no CNI
pod_config()
{
	local options
	options=$(message 1 "$(enum 1 2)")
	message 1 "$(text 1 "$1")$(text 2 "uid-${3##*/}")$(text 3 "$2")"
	message 8 "$(text 1 "$3")$(message 2 "$options")"
}

pod_container() # POD CONFIG NAME
{
	local config container
	config=$(message 1 "$(text 1 "$3")")$(message 2 "$(text 1 docker.io/library/tiny:1)")$(text 3 /bin/sleeper)
	config+=$(message 15 "$(message 2 "$(message 3 "$(enum 1 2)")")")
	container=$(cri CreateContainer "$(text 1 "$1")$(message 2 "$config")$(message 3 "$2")")
	cri StartContainer "$(text 1 "$container")"
}

# --- the engines ---

mkdir -p $ROOT/{bin,dev,etc,proc,sys,run,tmp}
cp /ebb/bin/sleeper $ROOT/bin/
cat >/run/containerd.toml <<'EOF'
version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/library/tiny:1"
EOF
as_service containerd --config /run/containerd.toml
engine_up containerd ctr version
as_service dockerd --containerd /run/containerd/containerd.sock --iptables=false --ip6tables=false --bridge=none
engine_up docker docker version

start_ebbd <<EOF
[ebb]
cold_after = 60s
EOF

tar -C $ROOT -c . | docker import -c 'CMD ["/bin/sleeper"]' - tiny:1 >/dev/null
docker run -d --network none --name shop_db-1 tiny:1 >/dev/null
check_listed shop_db-1 docker tiny:1

podman run -d --quiet --name web --network none --rootfs $ROOT /bin/sleeper >/dev/null 9>&-
check_listed web podman ''
# Of an image, and in a pod.
docker save tiny:1 | podman load --quiet >/dev/null
podman pod create --name shop --share '' --infra=false >/dev/null
podman run -d --quiet --pod shop --name cart --network none docker.io/library/tiny:1 >/dev/null 9>&-
check_listed cart podman docker.io/library/tiny:1

ctr run -d --rootfs $ROOT queue /bin/sleeper
check_listed queue containerd ''

docker save tiny:1 | ctr -n k8s.io images import - >/dev/null
config=$(pod_config checkout-7f9c prod /kubepods/burstable/pod7f9c)
pod=$(cri RunPodSandbox "$(message 1 "$config")")
pod_container "$pod" "$config" payment
check_listed payment cri-containerd docker.io/library/tiny:1 checkout-7f9c prod

for runtime in crun runc; do
	mkdir -p /run/bundle-$runtime
	(cd /run/bundle-$runtime && $runtime spec)
	jq --arg root $ROOT --arg name bare-$runtime '.root.path = $root | .process.terminal = false |
		.process.args = ["/bin/sleeper"] | .linux.cgroupsPath = "/" + $name' \
		/run/bundle-$runtime/config.json >/run/bundle-$runtime/new
	mv /run/bundle-$runtime/new /run/bundle-$runtime/config.json
	$runtime run -d -b /run/bundle-$runtime bare-$runtime </dev/null >>/run/engines.log 2>&1 9>&-
	check_listed bare-$runtime $runtime ''
done

mkdir -p /var/lib/lxc/mail
cat >/var/lib/lxc/mail/config <<EOF
lxc.uts.name = mail
lxc.rootfs.path = dir:$ROOT
lxc.init.cmd = /bin/sleeper
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
EOF
lxc-start -n mail -l INFO -o /run/engines.log 9>&- || { tail -n 30 /run/engines.log && fail "lxc-start"; }
check_listed mail lxc ''

# --- names that mean harm: engines are strict with names, and not with labels and annotations ---

docker run -d --network none --name evil --label "io.kubernetes.container.name=$EVIL" \
	--label "io.kubernetes.pod.name=$LONG$LONG$LONG$LONG" tiny:1 >/dev/null
ctr run -d --rootfs --annotation "io.kubernetes.cri.container-name=$EVIL" $ROOT evil /bin/sleeper
config=$(pod_config "$EVIL" $'a/../b"\n' /kubepods/besteffort/pod-evil)
pod=$(cri RunPodSandbox "$(message 1 "$config")")
pod_container "$pod" "$config" "$LONG"
mkdir "$CG/"$'q"uo\'te<b>\e[7m\xff\xfe\\'
cg_run $'q"uo\'te<b>\e[7m\xff\xfe\\' sleeper
evil_ones()
{
	(($(ebb list -o json | jq '[.[] | select((.name | test("script|<b>|nnnnnnnn")))] | length') >= 4))
}
wait_for 40 evil_ones || {
	ebb list -o json | jq -c '.[] | [.name, .runtime, .image, .pod, .path]'
	fail "those with hostile names are not listed"
}
ebb list -o json | jq -r '.[] | [.runtime, .name[:100], (.pod // "")[:60]] | @json' | sed 's/^/    /'

# harmless WHAT FILE: text without a control character, in whole characters, nothing that turns its direction
harmless()
{
	check_cmd "$1: UTF-8 throughout" iconv -f UTF-8 -t UTF-8 -o /dev/null "$2"
	check "$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae\x8b-\x8f]|\xe2\x81[\xa6-\xa9]' "$2" || true) == 0" "$1: no control character"
	check "$(wc -L <"$2") < 4096" "$1: no line without end"
}
out=/run/out
ebb list >$out
harmless "ebb list" $out
ebb top -b -n 1 >$out
harmless "ebb top -b" $out
id=$(ebb list -o json | jq -r '[.[] | select(.name | test("script"))][0].id')
ebb explain "$id" >$out
harmless "ebb explain" $out
ebb list -o json >$out
check_cmd "ebb list -o json: nothing but ASCII" bash -c "! LC_ALL=C grep -qP '[^\x0a\x20-\x7e]' $out"
tr ' ' '\n' </sys/fs/bpf/ebb/census | LC_ALL=C sed 's/[^ -~]//g' >$out
harmless "the census" $out
grep -av '^$' "$EBB_LOG" >$out
harmless "the log" $out

as_service ebb-exporter --config "$EBB_CONF"
wait_for 60 curl -sf -o /dev/null http://127.0.0.1:9465/readyz || fail "the exporter does not come up"
curl -sf http://127.0.0.1:9465/metrics >$out
harmless "/metrics" $out
check_cmd "/metrics: promtool takes it" bash -c "promtool check metrics <$out"
check "$(grep -c '^ebb_container_info{' $out) == $(ebb list -o json | jq length)" "/metrics: all are there"
curl -sf http://127.0.0.1:9465/api/list >$out
check_cmd "/api/list: JSON" bash -c "jq -e 'length >= 12' $out >/dev/null"
check_cmd "/api/list: nothing but ASCII" bash -c "! LC_ALL=C grep -qP '[^\x0a\x20-\x7e]' $out"

# Gone, and gone from the list.
docker rm -f shop_db-1 >/dev/null
not_listed()
{
	! is_listed "$@"
}
wait_for 40 not_listed shop_db-1 docker tiny:1 || fail "a container that is gone is still listed"
note "what is gone is gone from the list"
