import { defineModule } from '../steps/module.ts';
import { must } from '../steps/verdict.ts';
import { verifyMetadata } from '../steps/verify_metadata.ts';

export const module = defineModule({
  name: 'oidcc-frontchannel-logout-discovery-endpoint-verification',
  summary: 'The discovery document offers it.',
  async run(environment) {
    verifyMetadata(environment);
    for (const name of ['frontchannel_logout_supported', 'frontchannel_logout_session_supported']) {
      must(environment.metadata[name] === true, `${name} is not true`);
    }
  },
});
