#!/usr/bin/env bash
# The table: throughput and CPU per mail, straight and through zegel with smtp-source and smtp-sink; then, where the reference set-up lies beside the
# checkout (../shared/bench), the same text mails through haproxy, Postfix and Postfix + rspamd too, as far as they are installed, in alternating
# rounds. Loopback only. Gates nothing.
#   benches/table.sh target/release/zegel [rounds]
set -euo pipefail
zegel=$(realpath "$1") rounds=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
peers=${PEERS:-$here/../../shared/bench}

if command -v smtp-source >/dev/null; then
    [ -n "${PEERS_ONLY:-}" ] || "$here/relay.sh" "$zegel" "$rounds" 10000
else
    echo 'LEFT OUT: smtp-source and smtp-sink are not installed (Debian: postfix)'
fi
[ -f "$peers/bench.py" ] || { echo 'LEFT OUT: the peers; there is no reference set-up beside this checkout'; exit 0; }

systems=(direct)
counts=direct=8000,zegel=3000
for peer in haproxy:haproxy:4000 postfix_proxy:postfix:1500 postfix:postfix:500 rspamd:rspamd:200; do
    IFS=: read -r system program count <<<"$peer"
    if command -v "$program" >/dev/null; then
        systems+=("$system") counts+=",$system=$count"
    else
        echo "LEFT OUT: $system, since $program is not installed"
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Postfix's own users look into it.
chmod 755 "$work"
(cd "$peers/smtpbench" && CARGO_TARGET_DIR=${SMTPBENCH_TARGET:-$work/target} cargo build --release --quiet)
export SMTPBENCH=${SMTPBENCH_TARGET:-$work/target}/release/smtpbench BENCH_CORPUS=$peers/corpus BENCH_ROOT=$work BENCH_RUN=$work/run ZEGEL=$zegel
python3 "$peers/bench.py" ab "${systems[@]}" zegel --mix text --conc 10 --counts "$counts" --rounds "$rounds" --base zegel --out "$work/results" | grep -v '^!'
