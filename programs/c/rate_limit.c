/* Lets so many packets of a source pass in a second. The limit is a global that a loader may preset. */
#include "bpf.h"

struct bucket {
	u64 second;
	u64 packets;
};

struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 1024);
	TYPE(key, u32);
	TYPE(value, struct bucket);
} buckets SEC(".maps");

const volatile u32 limit = 100;
u64 dropped;

SUCCESS RETURNS(2)
SEC("xdp") int rate_limit(struct xdp_md *ctx)
{
	struct ethhdr *eth = START(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	u64 now = bpf_ktime_get_ns() / 1000000000;
	struct bucket *bucket, fresh = { now, 1 };
	u32 source;

	if ((void *)(ip + 1) > END(ctx) || eth->proto != htons(ETH_P_IP))
		return XDP_PASS;
	source = ip->source;
	bucket = bpf_map_lookup_elem(&buckets, &source);
	if (!bucket) {
		bpf_map_update_elem(&buckets, &source, &fresh, 0);
		return XDP_PASS;
	}
	if (bucket->second != now) {
		bucket->second = now;
		bucket->packets = 0;
	}
	if (++bucket->packets <= limit)
		return XDP_PASS;
	__sync_fetch_and_add(&dropped, 1);
	return XDP_DROP;
}
