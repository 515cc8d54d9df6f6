import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE } from './availability.ts';
import { arenaAllocPages, arenaFreePages, arenaReservePages } from './run/arena.ts';
import { mapSumElemCount } from './run/casts.ts';

/** Arenas and maps. */
export const arenaKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_arena_alloc_pages',
    summary: 'Allocates pages of an arena.',
    declaration: 'void *bpf_arena_alloc_pages(void *p__map, void *addr__ign, u32 page_cnt, int node_id, u64 flags)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE', 'KF_ARENA_RET', 'KF_ARENA_ARG2'],
    available: EVERYONE,
    run: arenaAllocPages,
  },
  {
    name: 'bpf_arena_free_pages',
    summary: 'Frees pages of an arena.',
    declaration: 'void bpf_arena_free_pages(void *p__map, void *ptr__ign, u32 page_cnt)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE', 'KF_ARENA_ARG2'],
    available: EVERYONE,
    run: arenaFreePages,
  },
  {
    name: 'bpf_arena_reserve_pages',
    summary: 'Keeps pages of an arena from being allocated.',
    declaration: 'int bpf_arena_reserve_pages(void *p__map, void *ptr__ign, u32 page_cnt)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE', 'KF_ARENA_ARG2'],
    available: EVERYONE,
    run: arenaReservePages,
  },
  {
    name: 'bpf_map_sum_elem_count',
    summary: 'Number of elements of a map.',
    declaration: 's64 bpf_map_sum_elem_count(const struct bpf_map *map)',
    flags: ['KF_TRUSTED_ARGS'],
    available: EVERYONE,
    run: mapSumElemCount,
  },
];
