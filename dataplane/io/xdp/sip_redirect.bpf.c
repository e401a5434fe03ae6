// SPDX-License-Identifier: BSD-3-Clause
// Runs in the kernel on every frame that a device shared by af_xdp receives. UDP to one of our
// addresses and SIP ports goes to pinhole's socket of that queue; all else (ARP, ND, ICMP, BGP,
// SSH) goes on to the kernel. So do fragments, since the later ones carry no ports, IPv6 with
// extension headers, and VLAN-tagged frames: what of it is SIP arrives whole at a bound socket.
// libbpf's headers need the kernel's types before them.
// clang-format off
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
// clang-format on

// DPDK finds this map by its name and puts its sockets in.
struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 64);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

// IPv4 as ::ffff:a.b.c.d, the port in network order: the same bytes as steering.cc writes.
struct target {
    __u8 address[16];
    __be16 udp_port;
    __u16 zero;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, struct target);
    __type(value, __u8);
} sip_targets SEC(".maps");

static __always_inline int parse_v4(void* at, void* end, struct target* target) {
    struct iphdr* ip = at;
    if ((void*)(ip + 1) > end || ip->protocol != IPPROTO_UDP || ip->ihl < 5 ||
        (ip->frag_off & bpf_htons(0x3fff))) {
        return 0;
    }
    struct udphdr* udp = at + ip->ihl * 4;
    if ((void*)(udp + 1) > end) {
        return 0;
    }
    target->address[10] = target->address[11] = 0xff;
    __builtin_memcpy(target->address + 12, &ip->daddr, 4);
    target->udp_port = udp->dest;
    return 1;
}

static __always_inline int parse_v6(void* at, void* end, struct target* target) {
    struct ipv6hdr* ip = at;
    struct udphdr* udp = (void*)(ip + 1);
    if ((void*)(udp + 1) > end || ip->nexthdr != IPPROTO_UDP) {
        return 0;
    }
    __builtin_memcpy(target->address, &ip->daddr, 16);
    target->udp_port = udp->dest;
    return 1;
}

SEC("xdp")
int pinhole_sip(struct xdp_md* context) {
    void* at = (void*)(long)context->data;
    void* end = (void*)(long)context->data_end;
    struct ethhdr* ethernet = at;
    struct target target = {};
    if ((void*)(ethernet + 1) > end) {
        return XDP_PASS;
    }
    int is_udp = 0;
    if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
        is_udp = parse_v4(ethernet + 1, end, &target);
    } else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
        is_udp = parse_v6(ethernet + 1, end, &target);
    }
    if (!is_udp || !bpf_map_lookup_elem(&sip_targets, &target)) {
        return XDP_PASS;
    }
    // A queue without a socket passes to the kernel rather than lose the datagram.
    return bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_PASS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
