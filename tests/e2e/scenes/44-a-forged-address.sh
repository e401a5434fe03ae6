#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An attacker on the way sends as if from a phone's own mapping, by a raw socket: what keeps pinholes open, guesses
# at answers to pings, and REGISTERs without a password. No ping is put off by it, no state moves, no contact goes.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

SUBSCRIBERS=$LAB_DIR/subscribers
forged() {
    local address=${FAR_END%:*} port=${FAR_END##*:}
    lab_exec net python3 - "$address" "$port" "$EDGE4" "$DOMAIN" <<'PY'
import socket, struct, sys, time
source, port, edge, domain = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
def register(call, expires, cseq):
    return (f"REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bK{cseq}\r\n"
            f"From: <sip:alice@{domain}>;tag=x\r\nTo: <sip:alice@{domain}>\r\nCall-ID: {call}\r\n"
            f"CSeq: {cseq} REGISTER\r\nContact: <sip:alice@192.168.1.10:5060>\r\nExpires: {expires}\r\n"
            "Content-Length: 0\r\n\r\n").encode()
def pong(n):
    return (f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {edge}:5060;rport;branch=z9hG4bKp{n:032x}\r\n"
            f"From: <sip:ping@{domain}>;tag=p\r\nTo: <sip:alice@192.168.1.10>;tag=y\r\nCall-ID: p{n}\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()
stun = struct.pack("!HHI12s", 1, 0, 0x2112A442, b"0123456789ab")
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def send(payload):
    udp = struct.pack("!HHHH", port, 5060, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(edge))
    raw.sendto(ip + udp, (edge, 0))
for n in range(80):
    for payload in (b"", b"\r\n\r\n", b"\0", stun, pong(n), register("other", 600, n + 1), register("gone", 0, n + 1)):
        send(payload)
    time.sleep(0.1)
PY
}
state() { binding alice contact; binding alice far_end; binding alice state; }

lab_home 60
"$SIPP_DIR/make_subscribers" "$DOMAIN" MD5 alice >"$SUBSCRIBERS"
edge_config interval_s=2 auth="mode = \"digest\"
realm = \"$DOMAIN\"
subscribers = \"$SUBSCRIBERS\"" extra='[limits]
enabled = false'
edge_start
phone_start phone1 alice password=pw-alice scenario="$SIPP_DIR/phone_digest.xml"
check_soon 10 "alice is $(binding alice state), not reachable" binding_is alice state reachable
FAR_END=$(binding alice far_end)
before=$(state)
spared=$(edge_metric pinhole_qualify_spared_total)
pinged=$(phone_events phone1 pinged)
came=$(edge_metric pinhole_rx_packets_total)
forged
check "the forged packets did not come" [ $(($(edge_metric pinhole_rx_packets_total) - came)) -ge 500 ]
check "state has moved: $(state)" [ "$(state)" = "$before" ]
check "pings were put off" [ "$(edge_metric pinhole_qualify_spared_total)" = "$spared" ]
check "the phone was pinged $(($(phone_events phone1 pinged) - pinged)) times in 8 s" phone_saw phone1 pinged $((pinged + 4))
check "the mapping moved" [ "$(edge_metric pinhole_rebinds_total)" = 0 ]

# The phone itself goes, and forged life doesn't hide it.
phone_vanish phone1
forged &
check_soon 20 "alice is $(binding alice state), not unreachable" binding_is alice state unreachable
wait $!
check "forged packets brought alice back" binding_is alice state unreachable
