/* Counts packets by IP protocol. */
#include "bpf.h"

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 256);
	TYPE(key, u32);
	TYPE(value, u64);
} packets SEC(".maps");

SUCCESS RETURNS(2)
SEC("xdp") int count_protocols(struct xdp_md *ctx)
{
	struct ethhdr *eth = START(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	u64 *count;
	u32 key;

	if ((void *)(ip + 1) > END(ctx) || eth->proto != htons(ETH_P_IP))
		return XDP_PASS;
	key = ip->protocol;
	count = bpf_map_lookup_elem(&packets, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	return XDP_PASS;
}
