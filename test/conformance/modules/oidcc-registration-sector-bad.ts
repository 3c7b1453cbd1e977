import { defineModule } from '../steps/module.ts';
import { refusedRegistration } from '../steps/refused_registration.ts';
import { publishSector, skipUnlessPairwise } from '../steps/sector.ts';

export const module = defineModule({
  name: 'oidcc-registration-sector-bad',
  summary: 'A sector_identifier_uri whose document lacks the redirect_uri cannot be registered.',
  async run(environment) {
    skipUnlessPairwise(environment);
    const sector_identifier_uri = publishSector(environment, [`${environment.relyingParty.redirectUri}/another`]);
    for (const subject_type of ['public', 'pairwise']) {
      const error = await refusedRegistration(environment, { sector_identifier_uri, subject_type });
      environment.warnUnless(error === 'invalid_client_metadata', `the error is ${error}`);
    }
  },
});
