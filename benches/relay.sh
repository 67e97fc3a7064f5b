#!/usr/bin/env bash
# Clean 5 KiB text mails by smtp-source to smtp-sink, straight and through zegel, in alternating rounds; then what zegel wrote to disk meanwhile, and
# its memory under 200 sessions with a 5 MiB mail each. Loopback only; ends its processes by pid.
#   benches/relay.sh target/release/zegel [rounds] [mails]
set -euo pipefail
zegel=$(realpath "$1") rounds=${2:-5} mails=${3:-20000}
work=$(mktemp -d) pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
sink_port=24801 gate_port=24802 portal_port=24803

smtp-sink -u nobody -c "127.0.0.1:$sink_port" 4096 >"$work/sink" 2>&1 &
pids+=($!)
cat >"$work/zegel.toml" <<C
[organisation]
name = "Gemeente Voorbeeld"
domains = ["voorbeeld.example"]
[smtp]
listen = ["127.0.0.1:$gate_port"]
next_hop = "smtp://127.0.0.1:$sink_port"
allow = ["127.0.0.0/8"]
[portal]
listen = ["127.0.0.1:$portal_port"]
url = "http://127.0.0.1:$portal_port"
[store]
path = "data"
[sms]
provider = "file"
C
ulimit -n 65536 2>/dev/null || true
ZEGEL_LOG=zegel=warn "$zegel" run --config "$work/zegel.toml" 2>"$work/log" &
gate=$!
pids+=("$gate")
for port in "$sink_port" "$gate_port"; do
    for _ in $(seq 600); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
done

# smtp-source fails on a reply that is not 2yz, so a rate without an error is a rate of mails taken.
rate() { # port sessions mails size
    local begin end
    begin=$(date +%s%N)
    smtp-source -d -s "$2" -m "$3" -l "$4" -f a@voorbeeld.example -t b@post.example "127.0.0.1:$1"
    end=$(date +%s%N)
    awk -v n="$3" -v ns=$((end - begin)) 'BEGIN { printf "%.0f\n", n / (ns / 1e9) }'
}
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$gate/stat"; }

rate "$sink_port" 20 2000 5120 >/dev/null
rate "$gate_port" 20 2000 5120 >/dev/null
before=$(grep '^write_bytes' "/proc/$gate/io" | cut -d' ' -f2)
ratios=()
ticks=$(cpu_ticks)
for round in $(seq "$rounds"); do
    if ((round % 2)); then
        direct=$(rate "$sink_port" 20 "$mails" 5120) through=$(rate "$gate_port" 20 "$mails" 5120)
    else
        through=$(rate "$gate_port" 20 "$mails" 5120) direct=$(rate "$sink_port" 20 "$mails" 5120)
    fi
    ratio=$(awk -v a="$through" -v b="$direct" 'BEGIN { printf "%.3f", a / b }')
    echo "round $round: direct $direct/s, through zegel $through/s, ratio $ratio"
    ratios+=("$ratio")
done
ticks=$(($(cpu_ticks) - ticks))
after=$(grep '^write_bytes' "/proc/$gate/io" | cut -d' ' -f2)
printf '%s\n' "${ratios[@]}" | sort -n | awk '{ r[NR] = $1 } END { printf "ratio to direct: median %s, min %s, max %s\n", r[int((NR + 1) / 2)], r[1], r[NR] }'
awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" -v n=$((rounds * mails)) 'BEGIN { printf "CPU per mail: %.0f us\n", t / hz * 1e6 / n }'
echo "bytes written to disk for $((rounds * mails)) clean mails: $((after - before))"

smtp-source -s 200 -m 200 -l $((5 * 1024 * 1024)) -f a@voorbeeld.example -t b@post.example "127.0.0.1:$gate_port"
grep -E '^VmHWM' "/proc/$gate/status" | awk '{ printf "peak memory with 200 sessions of a 5 MiB mail each: %.0f MiB\n", $2 / 1024 }'
