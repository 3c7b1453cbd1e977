import { defineNode } from '../node.ts';
import { noConfig } from './no_config.ts';

export const deny = defineNode({
  type: 'deny',
  summary: 'Ends the run without success.',
  config: noConfig,
  outputs: [],
  terminal: true,
  asks: false,
  needs: [],
  enter: () => ({ kind: 'fail', reason: 'denied' }),
});
