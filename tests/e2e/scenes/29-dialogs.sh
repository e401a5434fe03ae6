#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Dialogs of every kind through pinhole: SUBSCRIBE and NOTIFY, a call with REFER and re-INVITE from either side. The
# phone's gateway forgets it in the midst of them; it registers anew, and they all go on by its new mapping, to their
# end. The sides differ by port (a phone at 5080), then by family (an IPv6 phone, an IPv4 core): two Record-Routes,
# each at its own side.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

dialogs() { "$ROOT/tests/e2e/dialogs" "$LAB_PREFIX" "$@"; }

lab_home 60
edge_config peers="\"$CORE4\"" access_keys="sip_port = [5060, 5080]" interval_s=30 check_interval_s=1
edge_start
check "the dialogs of a phone at port 5080 failed" dialogs phone1 gw1 4 5080
check "the dialogs of an IPv6 phone failed" dialogs phone2 gw1 6 5060
