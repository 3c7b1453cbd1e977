import { defineModule } from '../steps/module.ts';
import { publishSector, skipUnlessPairwise } from '../steps/sector.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-registration-sector-uri',
  summary:
    'A sector_identifier_uri whose document lists the redirect_uri is accepted, and people have a sub of that sector.',
  async run(environment) {
    skipUnlessPairwise(environment);
    const sector_identifier_uri = publishSector(environment, [environment.relyingParty.redirectUri]);
    const pairwise = { sector_identifier_uri, subject_type: 'pairwise' };
    const subjects: string[] = [];
    for (const members of [pairwise, pairwise, { sector_identifier_uri }]) {
      const client = await environment.register(members);
      subjects.push((await signIn(environment, {}, { client })).idToken.subject);
    }
    const [one, other, publicSubject] = subjects;
    must(one === other, 'two clients of a sector have different subs');
    must(one !== publicSubject, 'the sub of the sector is the public one');
  },
});
