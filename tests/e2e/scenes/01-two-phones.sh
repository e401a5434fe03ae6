#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two phones behind one gateway register from private addresses, and each gets its own calls.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 30
edge_config
edge_start
phone_start phone1 alice
phone_start phone2 bob

check "alice's Contact is not the private one" binding_is alice contact "sip:alice@192.168.1.10:5060"
check "bob's Contact is not the private one" binding_is bob contact "sip:bob@192.168.1.11:5060"
alice=$(binding alice far_end)
bob=$(binding bob far_end)
check "alice is at '$alice', not at the gateway" [ "${alice%:*}" = 67.194.23.55 ]
check "bob is at '$bob', not at the gateway" [ "${bob%:*}" = 67.194.23.55 ]
check "both phones have the mapping $alice" [ "$alice" != "$bob" ]

check "the call to alice failed" core_call call alice
check "the call to alice did not ring at phone1" rang phone1
check "the call to alice rang at phone2" not rang phone2
check "the call to bob failed" core_call call bob
check "the call to bob did not ring at phone2" rang phone2
check "the call to bob rang at phone1" not rang phone1
