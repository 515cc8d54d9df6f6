import { describe, expect, it } from 'vitest';
import type { Helper } from '../../src/contracts/helper.ts';
import { helpers } from '../../src/helpers/index.ts';
import { openProfile } from '../../src/profiles/index.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';
import licensed from './host_6_18_gpl_only.json' with { type: 'json' };

const vmlinux = openProfile('linux-6.18', readVmlinuxPart).btf;
const all = helpers.filter((helper): helper is Helper => helper !== undefined);
const named = (test: (helper: Helper) => unknown) => all.filter(test).map((helper) => helper.name.slice('bpf_'.length));
const SIZES = ['ARG_CONST_SIZE', 'ARG_CONST_SIZE_OR_ZERO'];

describe('entries', () => {
  it('stand at their own id and have unique names and prototypes', () => {
    for (const [id, helper] of helpers.entries()) if (helper) expect(helper.id).toBe(id);
    expect(new Set(all.map((helper) => helper.name)).size).toBe(211);
    const protos = all.flatMap((helper) => helper.protos.map((proto) => proto.name));
    expect(new Set(protos).size).toBe(protos.length);
  });

  it('name in their rows only prototypes they have, and reach each of them', () => {
    for (const helper of all) {
      const rows = new Set(helper.available.map((row) => row.proto));
      expect([helper.name, [...rows].sort()]).toEqual([helper.name, helper.protos.map((proto) => proto.name).sort()]);
    }
  });

  it('have at most five arguments with distinct names', () => {
    for (const proto of all.flatMap((helper) => helper.protos)) {
      expect(proto.args.length).toBeLessThanOrEqual(5);
      expect(new Set(proto.args.map((arg) => arg.name)).size, proto.name).toBe(proto.args.length);
    }
  });

  it('pair every memory of variable size with a size (check_mem_arg_pair_ok)', () => {
    for (const proto of all.flatMap((helper) => helper.protos)) {
      proto.args.forEach((arg, index) => {
        const fixed = arg.flags?.includes('MEM_FIXED_SIZE') ?? false;
        const sized = SIZES.includes(proto.args[index + 1]?.base ?? '');
        if (arg.base === 'ARG_PTR_TO_MEM') expect([proto.name, arg.name, sized]).toEqual([proto.name, arg.name, !fixed]);
        else expect([proto.name, arg.name, sized]).toEqual([proto.name, arg.name, false]);
        expect(arg.size !== undefined, proto.name).toBe(fixed);
      });
    }
  });

  it('name the struct of every kernel object, but where the map field decides (check_btf_id_ok)', () => {
    for (const helper of all) {
      for (const arg of helper.protos.flatMap((proto) => proto.args)) {
        const wanted = arg.base === 'ARG_PTR_TO_BTF_ID' && helper.effects?.rule !== 'kptr_xchg';
        expect([helper.name, arg.name, arg.btfType !== undefined]).toEqual([helper.name, arg.name, wanted]);
      }
    }
  });

  it('name structs of the kernel, with the sizes of fixed memory', () => {
    const specs = all.flatMap((helper) => helper.protos.flatMap((proto) => [...proto.args, proto.ret]));
    const structs = new Set(specs.flatMap((spec) => spec.btfType ?? []));
    expect(structs.size).toBeGreaterThan(15);
    for (const name of structs) expect([name, vmlinux.findByName(name, 'STRUCT') !== undefined]).toEqual([name, true]);
    const header = (name: string) => vmlinux.findByName(name, 'STRUCT')!.size;
    const cookie = all.find((helper) => helper.name === 'bpf_tcp_raw_check_syncookie_ipv6')!.protos[0]!;
    expect(cookie.args.map((arg) => arg.size)).toEqual([header('ipv6hdr'), header('tcphdr')]);
  });

  it('take the context first when they change the packet', () => {
    for (const helper of all.filter((entry) => entry.effects?.changesPacketData)) {
      for (const proto of helper.protos) expect([proto.name, proto.args[0]?.base]).toEqual([proto.name, 'ARG_PTR_TO_CTX']);
    }
  });

  it('have their function argument where the callback says', () => {
    for (const helper of all) {
      const index = helper.protos[0]!.args.findIndex((arg) => arg.base === 'ARG_PTR_TO_FUNC');
      expect([helper.name, helper.effects?.callback?.arg ?? -1]).toEqual([helper.name, index]);
    }
  });

  it('are restricted by license as the recorded kernel does', () => {
    const restricted = (name: string) =>
      all.find((helper) => helper.name === `bpf_${name}`)!.protos.map((p) => p.gplOnly ?? false);
    for (const name of licensed.gplOnly) expect([name, restricted(name).includes(true)]).toEqual([name, true]);
    for (const name of licensed.any) expect([name, restricted(name).includes(false)]).toEqual([name, true]);
    expect(licensed.gplOnly.length + licensed.any.length).toBe(195);
  });
});

describe('helper classes of verifier.c', () => {
  it.each<[string, (helper: Helper) => unknown, string]>([
    [
      'bpf_helper_changes_pkt_data',
      (h) => h.effects?.changesPacketData,
      'skb_store_bytes l3_csum_replace l4_csum_replace tail_call clone_redirect skb_vlan_push skb_vlan_pop skb_change_proto skb_change_tail skb_pull_data skb_change_head xdp_adjust_head skb_adjust_room xdp_adjust_meta msg_pull_data xdp_adjust_tail lwt_push_encap lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action msg_push_data msg_pop_data store_hdr_opt',
    ],
    [
      'is_acquire_function',
      (h) => h.effects?.acquires === 'always',
      'sk_lookup_tcp sk_lookup_udp skc_lookup_tcp ringbuf_reserve kptr_xchg',
    ],
    [
      'is_ptr_cast_function',
      (h) => h.effects?.pointerCast,
      'sk_fullsock tcp_sock skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock skc_to_udp6_sock skc_to_mptcp_sock',
    ],
    [
      'is_sync_callback_calling_function',
      (h) => h.effects?.callback?.kind === 'sync',
      'for_each_map_elem find_vma loop user_ringbuf_drain',
    ],
    ['is_async_callback_calling_function', (h) => h.effects?.callback?.kind === 'async', 'timer_set_callback'],
    [
      'is_storage_get_function',
      (h) => h.effects?.storageGet,
      'sk_storage_get inode_storage_get task_storage_get cgrp_storage_get',
    ],
    [
      'record_func_map',
      (h) => h.effects?.recordsMap,
      'map_lookup_elem map_update_elem map_delete_elem tail_call redirect_map map_push_elem map_pop_elem map_peek_elem for_each_map_elem map_lookup_percpu_elem',
    ],
    ['record_func_map: writes', (h) => h.effects?.writesMap, 'map_update_elem map_delete_elem map_push_elem map_pop_elem'],
    [
      'do_refine_retval_range: size',
      (h) => h.effects?.refinesReturn === 'size-bound',
      'probe_read_str get_stack probe_read_user_str probe_read_kernel_str get_task_stack',
    ],
    [
      'might_sleep',
      (h) => h.protos.some((proto) => proto.mightSleep),
      'copy_from_user ima_inode_hash copy_from_user_task ima_file_hash',
    ],
    ['allow_fastcall', (h) => h.protos.some((proto) => proto.allowFastcall), 'get_smp_processor_id'],
    [
      'allowed',
      (h) => h.protos.some((proto) => proto.allowed),
      'sk_storage_get sk_storage_delete d_path ima_inode_hash ima_file_hash',
    ],
    [
      'OBJ_RELEASE',
      (h) => h.protos.some((proto) => proto.args.some((arg) => arg.flags?.includes('OBJ_RELEASE'))),
      'sk_release ringbuf_submit ringbuf_discard kptr_xchg ringbuf_submit_dynptr ringbuf_discard_dynptr',
    ],
  ])('%s', (_rule, test, expected) => {
    expect(named(test)).toEqual(expected.split(' '));
  });
});
