/* What the samples need of the kernel's and libbpf's declarations. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define UINT(name, value) int(*name)[value]
#define TYPE(name, type) type *name
#define EXPECT(text) __attribute__((btf_decl_tag("comment:test_expect_" text)))
#define RETURNS(value) __attribute__((btf_decl_tag("comment:test_retval=" #value)))
#define SUCCESS EXPECT("success")
#define FAILURE EXPECT("failure")
#define MESSAGE(text) EXPECT("msg=0=" text)

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX };
enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PERCPU_ARRAY = 6, BPF_MAP_TYPE_RINGBUF = 27 };

struct xdp_md {
	u32 data;
	u32 data_end;
	u32 data_meta;
	u32 ingress_ifindex;
	u32 rx_queue_index;
	u32 egress_ifindex;
};

struct ethhdr {
	u8 dest[6];
	u8 source[6];
	u16 proto;
} __attribute__((packed));

struct iphdr {
	u8 ihl : 4;
	u8 version : 4;
	u8 tos;
	u16 total;
	u16 id;
	u16 frag;
	u8 ttl;
	u8 protocol;
	u16 check;
	u32 source;
	u32 dest;
};

#define ETH_P_IP 0x0800
#define htons(x) __builtin_bswap16(x)
#define START(ctx) ((void *)(long)(ctx)->data)
#define END(ctx) ((void *)(long)(ctx)->data_end)

#define HELPER(id, returns, name, ...) static returns (*const name)(__VA_ARGS__) = (void *)id
HELPER(1, void *, bpf_map_lookup_elem, void *, const void *);
HELPER(2, long, bpf_map_update_elem, void *, const void *, const void *, u64);
HELPER(5, u64, bpf_ktime_get_ns, void);
HELPER(7, u32, bpf_get_prandom_u32, void);
HELPER(131, void *, bpf_ringbuf_reserve, void *, u64, u64);
HELPER(132, void, bpf_ringbuf_submit, void *, u64);
HELPER(133, void, bpf_ringbuf_discard, void *, u64);
HELPER(181, long, bpf_loop, u32, void *, void *, u64);

char _license[] SEC("license") = "GPL";
