import { defineModule } from '../steps/module.ts';
import { must } from '../steps/verdict.ts';
import { verifyMetadata } from '../steps/verify_metadata.ts';

export const module = defineModule({
  name: 'oidcc-backchannel-logout-discovery-endpoint-verification',
  summary: 'The discovery document offers it.',
  async run(environment) {
    verifyMetadata(environment);
    for (const name of ['backchannel_logout_supported', 'backchannel_logout_session_supported']) {
      must(environment.metadata[name] === true, `${name} is not true`);
    }
  },
});
