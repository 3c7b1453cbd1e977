import { err, ok } from '../../core/result.ts';
import type { ChainFault, Head } from '../../store/audit_chain.ts';
import { administer } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatRecord } from '../output.ts';

const sentences: { readonly [Fault in ChainFault]: string } = {
  altered: 'the events that it covers were changed, added to or removed',
  forged: 'the checkpoint itself was changed, or made without the secrets of this server',
  gap: 'checkpoints before it are gone',
  'unknown key': 'it was made with a secret that is not among LIMEN_SECRETS',
  'dropped early': 'the events that it covers are gone before their time',
  'head missing': 'it is not in the chain, or not as it was',
};

export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'Recompute the chain over the audit log; fails where anything was tampered with.',
  options: {
    head: {
      type: 'text',
      value: '<seq>:<hash>',
      sentence: 'The head that an earlier run told, kept elsewhere: it must still be in the chain.',
    },
    json: jsonOption,
  },
  examples: ['limen audit verify'],
  run: (values, deps) =>
    administer(deps, async ({ auditChain }) => {
      const given = values.head === undefined ? null : readHead(values.head);
      if (given === undefined) return err(['--head is <seq>:<hash>, as an earlier `limen audit verify` told it']);
      const { faults, head, ...counts } = await auditChain.verify(given);
      const told = { ...counts, head: head === null ? null : `${head.seq}:${head.hash}` };
      answer(deps.terminal, values.json, { ...told, faults }, formatRecord(Object.entries(told)));
      return faults.length === 0
        ? ok(null)
        : err(faults.map(({ seq, fault }) => `checkpoint ${seq}: ${sentences[fault]}`));
    }),
});

/** undefined: it is none. */
function readHead(text: string): Head | undefined {
  const [, seq, hash] = /^([1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  return seq === undefined || hash === undefined ? undefined : { seq: Number(seq), hash };
}
