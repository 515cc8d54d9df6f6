import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE, GENERIC, TRACING_HOOK } from './availability.ts';
import { cgroupAcquire, cgroupAncestor, cgroupFromId, cgroupRelease } from './run/cgroup.ts';

/** Control groups. */
export const cgroupKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_cgroup_acquire',
    summary: 'Takes a reference to a cgroup.',
    declaration: 'struct cgroup *bpf_cgroup_acquire(struct cgroup *cgrp)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_RCU'],
    available: GENERIC,
    run: cgroupAcquire,
  },
  {
    name: 'bpf_cgroup_release',
    summary: 'Drops a reference to a cgroup.',
    declaration: 'void bpf_cgroup_release(struct cgroup *cgrp)',
    flags: ['KF_RELEASE'],
    available: GENERIC,
    run: cgroupRelease,
    destroy: () => {},
  },
  {
    name: 'bpf_cgroup_ancestor',
    summary: 'The ancestor of a cgroup at a level.',
    declaration: 'struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_RCU'],
    available: GENERIC,
    run: cgroupAncestor,
  },
  {
    name: 'bpf_cgroup_from_id',
    summary: 'The cgroup with an id.',
    declaration: 'struct cgroup *bpf_cgroup_from_id(u64 cgid)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: GENERIC,
    run: cgroupFromId,
  },
  {
    name: 'bpf_cgroup_read_xattr',
    summary: 'Reads an extended attribute of a cgroup.',
    declaration: 'int bpf_cgroup_read_xattr(struct cgroup *cgroup, const char *name__str, struct bpf_dynptr *value_p)',
    flags: ['KF_RCU'],
    available: EVERYONE,
  },
  {
    name: 'css_rstat_updated',
    summary: 'Notes that statistics of a cgroup changed on a CPU.',
    declaration: 'void css_rstat_updated(struct cgroup_subsys_state *css, int cpu)',
    flags: [],
    available: [{ types: TRACING_HOOK }],
  },
  {
    name: 'css_rstat_flush',
    summary: 'Brings the statistics of a cgroup up to date.',
    declaration: 'void css_rstat_flush(struct cgroup_subsys_state *css)',
    flags: ['KF_SLEEPABLE'],
    available: [{ types: TRACING_HOOK }],
  },
];
