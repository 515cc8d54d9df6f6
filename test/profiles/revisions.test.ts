import { describe, expect, it } from 'vitest';
import { overlaidBtf } from '../../src/btf/overlay.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import { openProfile } from '../../src/profiles/index.ts';
import { REVISED_ENTRIES, withRevisions } from '../../src/profiles/revisions.ts';
import { readVmlinuxPart } from './packed_vmlinux.ts';

const profile = openProfile('linux-6.18', readVmlinuxPart);
const helper = (from: typeof profile, name: string) => from.helpers.find((entry) => entry?.name === name)!;

describe('revisions of entries', () => {
  it('replace the entry and leave the profile as it was', () => {
    const proposed = withRevisions(profile, ['user_ringbuf_drain=v3']);
    const [own, other] = [profile, proposed].map((from) => helper(from, 'bpf_user_ringbuf_drain').protos[0]!.run);
    expect(own).not.toBe(other);
    expect(proposed.revisions?.get('user_ringbuf_drain')).toBe('v3');
    expect(profile.revisions).toBeUndefined();
    expect(helper(proposed, 'bpf_loop')).toBe(helper(profile, 'bpf_loop'));
  });

  it('change callbacks wherever they are', () => {
    const old = withRevisions(profile, ['callbacks=6.1', 'dynptr-callback=v3']);
    expect(helper(old, 'bpf_loop').effects?.callback?.explored).toBe('once');
    expect(helper(old, 'bpf_timer_set_callback').effects?.callback?.explored).toBeUndefined();
    expect(helper(old, 'bpf_user_ringbuf_drain').effects?.callback).toMatchObject({ explored: 'once', dynptr: 'PTR_TO_DYNPTR' });
    expect(old.unsound).toHaveLength(2);
  });

  it('mean the same in whatever order they are named', () => {
    for (const names of [
      ['dynptr-callback=v3', 'user_ringbuf_drain=v3'],
      ['user_ringbuf_drain=v3', 'dynptr-callback=v3'],
    ]) {
      const { effects, protos } = helper(withRevisions(profile, names), 'bpf_user_ringbuf_drain');
      expect(effects?.callback?.dynptr).toBe('PTR_TO_DYNPTR');
      expect(protos[0]!.run).not.toBe(helper(profile, 'bpf_user_ringbuf_drain').protos[0]!.run);
    }
  });

  it('that the kernel has itself change nothing', () => {
    const same = withRevisions(
      profile,
      [...REVISED_ENTRIES.values()].flatMap(({ name, base }) => (base === null ? [] : [`${name}=${base}`])),
    );
    expect(same.helpers).toEqual(profile.helpers);
    expect(same.unsound).toBeUndefined();
  });

  it.each([
    [['nothing=v1'], /no entry 'nothing' has revisions: user_ringbuf_drain/],
    [['user_ringbuf_drain'], /user_ringbuf_drain has no revision '': v3, 6.1/],
    [['user_ringbuf_drain=v9'], /no revision 'v9'/],
    [['callbacks=6.1', 'callbacks=6.8'], /given twice/],
  ])('%s is refused', (texts, message) => {
    expect(() => withRevisions(profile, texts)).toThrow(Malformed);
    expect(() => withRevisions(profile, texts)).toThrow(message);
  });
});

describe('a BTF with declarations laid over it', () => {
  const { btf } = profile;
  const overlaid = overlaidBtf(
    btf,
    `struct io_mapped_ubuf { unsigned long long ubuf; unsigned long long ubuf_end; struct task_struct *owner; };
     struct brand_new { struct io_mapped_ubuf *one; };
     int bpf_iter_brand_new(struct bpf_iter_meta *meta, struct brand_new *it, unsigned long long index);`,
  );

  it("finds new structs and those that replace the kernel's own", () => {
    expect(overlaid.findByName('io_mapped_ubuf', 'STRUCT')?.members.map(({ name }) => name)).toEqual([
      'ubuf',
      'ubuf_end',
      'owner',
    ]);
    expect(overlaid.findByName('brand_new', 'STRUCT')?.size).toBe(8);
    expect(overlaid.findEssential('io_mapped_ubuf')).toHaveLength(1);
    expect(btf.findByName('brand_new', 'STRUCT')).toBeUndefined();
  });

  it('shares the types that are only named', () => {
    const owner = overlaid.findByName('io_mapped_ubuf', 'STRUCT')!.members[2]!;
    expect(overlaid.resolvePtr(owner.type)?.id).toBe(btf.findByName('task_struct', 'STRUCT')?.id);
    const func = overlaid.findByName('bpf_iter_brand_new', 'FUNC')!;
    const proto = overlaid.typeOf(func.type, 'FUNC_PROTO')!;
    expect(overlaid.resolvePtr(proto.params[0]!.type)?.id).toBe(btf.findByName('bpf_iter_meta', 'STRUCT')?.id);
    expect(overlaid.sizeOf(proto.params[2]!.type)).toBe(8);
  });

  it('keeps the ids of the kernel', () => {
    const task = btf.findByName('task_struct', 'STRUCT')!;
    expect(overlaid.type(task.id)).toBe(task);
    expect(overlaid.kindOf(overlaid.count - 1)).toBe(overlaid.type(overlaid.count - 1).kind);
    expect(overlaid.typeOrUndefined(overlaid.count)).toBeUndefined();
  });
});
