#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a file's bytes as a C++ array, so that the daemon carries its XDP program in itself: embed.py IN OUT"""
import sys

with open(sys.argv[1], "rb") as source:
    data = source.read()
with open(sys.argv[2], "w") as header:
    header.write("// Made by embed.py from the compiled sip_redirect.bpf.c.\n")
    header.write("alignas(8) inline constexpr unsigned char kSipRedirectObject[] = {\n")
    for start in range(0, len(data), 24):
        header.write(",".join(str(byte) for byte in data[start:start + 24]) + ",\n")
    header.write("};\n")
