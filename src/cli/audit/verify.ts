import { err, ok } from '../../core/result.ts';
import type { ChainFault } from '../../store/audit_chain.ts';
import { administer } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatRecord } from '../output.ts';

const sentences: { readonly [Fault in ChainFault]: string } = {
  altered: 'the events that it covers were changed, added to or removed',
  forged: 'the checkpoint itself was changed, or made without the secrets of this server',
  gap: 'checkpoints before it are gone',
  'unknown key': 'it was made with a secret that is not among LIMEN_SECRETS',
};

export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'Recompute the chain over the audit log; fails where anything was tampered with.',
  options: { json: jsonOption },
  examples: ['limen audit verify'],
  run: (values, deps) =>
    administer(deps, async ({ auditChain }) => {
      const { faults, ...counts } = await auditChain.verify();
      answer(deps.terminal, values.json, { ...counts, faults }, formatRecord(Object.entries(counts)));
      return faults.length === 0
        ? ok(null)
        : err(faults.map(({ seq, fault }) => `checkpoint ${seq}: ${sentences[fault]}`));
    }),
});
