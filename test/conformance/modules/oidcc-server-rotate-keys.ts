import { endpoint } from '../steps/discovery.ts';
import { fetchKeys } from '../steps/jwks.ts';
import { defineModule } from '../steps/module.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-server-rotate-keys',
  summary: 'A rotated key has another kid and another modulus, and the old one stays.',
  alone: true,
  async run(environment) {
    const url = endpoint(environment, 'jwks_uri');
    const before = await fetchKeys(url);
    await environment.rotateKeys();
    const after = await fetchKeys(url);
    const fresh = after.filter(({ kid }) => !before.some((old) => old.kid === kid));
    must(fresh.length > 0, 'there is no new kid');
    must(
      fresh.every(({ n }) => !before.some((old) => old.n !== undefined && old.n === n)),
      'the modulus is the same',
    );
    environment.warnUnless(
      before.every(({ kid }) => after.some((one) => one.kid === kid)),
      'an old key is gone at once',
    );
  },
});
