#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A real Prometheus scrapes the edge under the rules of conf/: they load, none is ill, an alert that ought to
# fire does, and every metric that the rules and the dashboard name is there.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

ask_prometheus() { lab_exec edge curl -sf --max-time 5 "http://127.0.0.1:9091/api/v1/$1"; }

# What a Python expression over the answer `data` gives.
prometheus_says() {
    ask_prometheus "$1" | python3 -c 'import json, sys; data = json.load(sys.stdin)["data"]; print(eval(sys.argv[1]))' "$2"
}
is() { [ "$(prometheus_says "$1" "$2" 2>/dev/null)" = "$3" ]; }

# The metrics that a file names, as series (a histogram's _bucket is one).
named_in() { grep -oE 'pinhole_[a-z_]+[a-z]' "$@" | sort -u; }

for tool in prometheus promtool; do
    command -v $tool >/dev/null || fail "there is no $tool: run scripts/setup"
done
check "the rules are wrong" promtool check rules "$ROOT/conf/prometheus-rules.yml" >/dev/null
check "the rules' tests fail" promtool test rules "$ROOT/tests/conf/prometheus-rules_test.yml" >/dev/null
check "the dashboard is no JSON" python3 -m json.tool "$ROOT/conf/grafana-dashboard.json" /dev/null

lab_home 60
edge_config check_interval_s=1
edge_start
phone_start phone1 alice
cat >"$LAB_DIR/prometheus.yml" <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$ROOT/conf/prometheus-rules.yml]
scrape_configs:
  - job_name: pinhole
    static_configs: [{targets: ["127.0.0.1:9060"]}]
YML
lab_spawn edge "$LAB_DIR/prometheus.log" prometheus --config.file="$LAB_DIR/prometheus.yml" \
    --storage.tsdb.path="$LAB_DIR/tsdb" --web.listen-address=127.0.0.1:9091
check_soon 30 "Prometheus does not scrape: $(tail -n 2 "$LAB_DIR/prometheus.log")" \
    is 'query?query=up' 'data["result"][0]["value"][1]' 1
check_soon 30 "a phone that answers pings is not seen to" \
    is 'query?query=pinhole_contacts_by_state%7Bstate%3D%22reachable%22%7D' 'data["result"][0]["value"][1]' 1
check_soon 30 "the load is not recorded" \
    is 'query?query=pinhole:busy:ratio' 'len(data["result"])' 1
check "the load is no share" is 'query?query=pinhole:busy:ratio' '0 < float(data["result"][0]["value"][1]) <= 1' True

every_rule='set(rule["health"] for group in data["groups"] for rule in group["rules"])'
check_soon 30 "not every rule could be evaluated: $(prometheus_says rules "$every_rule")" is rules "$every_rule" "{'ok'}"
# Nobody is there to answer the checks of core peers.
check_soon 40 "no core peer is up, and no alert fires" \
    is 'query?query=ALERTS%7Balertname%3D%22PinholeNoCorePeer%22,alertstate%3D%22firing%22%7D' 'len(data["result"])' 1
check "alerts fire that should not" is 'query?query=ALERTS%7Balertstate%3D%22firing%22,alertname!~%22Pinhole(No)?CorePeer.*%22%7D' 'len(data["result"])' 0

ask_prometheus label/__name__/values | python3 -c 'import json, sys; print(*json.load(sys.stdin)["data"], sep="\n")' |
    sort -u >"$LAB_DIR/there"
# This edge keeps no journal, so it has no figures of it; a metric with labels has no series before its first event.
for metric in $(named_in -h "$ROOT/conf/grafana-dashboard.json" "$ROOT/conf/prometheus-rules.yml"); do
    [[ $metric != pinhole_journal_* ]] || continue
    check "no such metric is exported: $metric" grep -qx "$metric" "$LAB_DIR/there"
done
