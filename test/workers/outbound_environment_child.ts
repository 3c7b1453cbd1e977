/** Run as a process of its own, whose environment names a proxy and switches certificate checks off. */

import { silentLog } from '../../src/core/log.ts';
import { createOutbound } from '../../src/workers/outbound/index.ts';
import { testPolicy } from './outbound_servers.ts';

const [trusted = '', wrong = ''] = process.argv.slice(2);
const outbound = createOutbound(testPolicy, { log: silentLog, resolve: async () => ['127.0.0.1'] });
const control = await fetch(trusted, { tls: { rejectUnauthorized: false } }).then(
  () => 'answered',
  () => 'failed',
);
const plain = await outbound.get(trusted, { accept: '*/*' });
const refused = await outbound.get(wrong, { accept: '*/*' });
process.stdout.write(
  JSON.stringify({
    control,
    plain: plain.kind === 'answered' ? plain.status : plain,
    refused: refused.kind === 'failed' ? refused.reason : refused,
  }),
);
process.exit(0);
