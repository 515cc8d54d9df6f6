import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/verifier/verify.ts';
import { loadSample, profile } from '../../samples.ts';

/** Source: check_btf_info_early, kernel/bpf/verifier.c. */
describe('types of a program', () => {
  it('count only where it has records of functions or lines', async () => {
    const program = (await loadSample('objects/list_in_order.bpf.s')).programs[0]!;
    expect(verify(program, profile).verdict).toBe('accept');
    expect(verify({ ...program, funcInfo: [], lineInfo: [] }, profile).message).toBe(
      'bpf_obj_new/bpf_percpu_obj_new requires prog BTF',
    );
  });
});
