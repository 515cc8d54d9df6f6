import { describe, expect, it } from 'vitest';
import { REG_BASES, TYPE_FLAGS } from '../../src/contracts/type_words.ts';
import { explain, explainableWords } from '../../src/desk/explain.ts';
import { explainMessage } from '../../src/desk/explain_message.ts';
import { profile } from '../samples.ts';

const kinds = (word: string): string[] => explain(word, profile).map(({ kind, name }) => `${kind} ${name}`);
const facts = (word: string, label: string): string[] =>
  explain(word, profile)[0]!
    .facts.filter(([own]) => own === label)
    .map(([, text]) => text);

describe('explain', () => {
  it('knows every entry of the kernel', () => {
    const dumb = explainableWords(profile).filter((word) =>
      explain(word, profile).every((one) => one.facts.length === 0 || one.summary === ''),
    );
    expect(dumb).toEqual([]);
  });

  it('knows every register type and flag', () => {
    expect([...REG_BASES, ...Object.keys(TYPE_FLAGS)].filter((word) => explain(word, profile).length === 0)).toEqual([]);
  });

  it.each([
    ['bpf_loop', ['helper bpf_loop']],
    ['LOOP', ['helper bpf_loop']],
    ['task_acquire', ['kfunc bpf_task_acquire']],
    ['BPF_MAP_TYPE_HASH', ['map type hash']],
    ['sched_cls', ['program type sched_cls']],
    ['xdp.frags', ['program type xdp']],
    ['iter/task', ['iterator target task']],
    ['task_vma', ['iterator target task_vma', 'revised entry task_vma']],
    ['pkt_end', ['register type PTR_TO_PACKET_END']],
    ['sock_or_null', ['register type PTR_TO_SOCKET']],
    ['no such thing', []],
  ])('%s', (word, expected) => {
    expect(kinds(word)).toEqual(expected);
  });

  it('tells arguments, result, effects and who may call', () => {
    expect(facts('bpf_ringbuf_reserve', 'R2')).toEqual(['size: ARG_CONST_ALLOC_SIZE_OR_ZERO']);
    expect(facts('bpf_ringbuf_reserve', 'effect')).toEqual(['the result is a reference that has to be given back']);
    expect(facts('bpf_sys_close', 'for')).toEqual(['syscall']);
    expect(facts('bpf_user_ringbuf_drain', 'callback')).toEqual(['runs during the call, returns 0 to 1']);
    expect(facts('bpf_task_from_pid', 'KF_ACQUIRE')).toEqual(['the result is a reference that has to be given back']);
  });

  it('tells what a map takes, and what a context has', () => {
    expect(facts('ringbuf', 'helpers')[0]).toMatch(/^bpf_ringbuf_output, .*bpf_ringbuf_query/);
    expect(facts('xdp', 'field')[1]).toBe('4-8 r- data_end, PTR_TO_PACKET_END');
  });

  it('tells the revisions of an entry, and which of them are unsound', () => {
    expect(facts('bpf_user_ringbuf_drain', 'revision')[0]).toMatch(/^user_ringbuf_drain=v3: /);
    expect(facts('dynptr-callback', 'dynptr-callback=v3')[0]).toContain('; unsound: ');
  });
});

describe('a message', () => {
  const samples = [
    { name: 'a', text: '# The first story,\n# on two lines.\n.expect message "R0 invalid mem access \'scalar\'"\nexit\n' },
    { name: 'b', text: '# Another.\n.expect message "invalid stack off=-8 size=1"\nexit\n' },
  ];

  it('is explained by the programs that provoke it, whatever its numbers', () => {
    const [found, ...more] = explainMessage("R7 invalid mem access 'scalar'", samples);
    expect([found!.facts, more]).toEqual([[['a', 'The first story, on two lines.']], []]);
    expect(explainMessage('1: (7b) … invalid stack off=-16 size=8', samples)[0]!.facts).toEqual([['b', 'Another.']]);
  });

  it.each(['R1', 'nobody says this'])('is not guessed: %s', (message) => {
    expect(explainMessage(message, samples)).toEqual([]);
  });
});
