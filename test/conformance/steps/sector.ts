import type { Environment } from './environment.ts';
import { textsOf } from './json.ts';
import { skipIf } from './verdict.ts';

export function skipUnlessPairwise({ metadata }: Environment): void {
  const offered = textsOf(metadata, 'subject_types_supported');
  skipIf(!offered.includes('pairwise'), "'pairwise' is not listed in subject_types_supported");
}

/** OIDC Registration §5: the document of a sector, by https. */
export const publishSector = ({ relyingParty }: Environment, redirectUris: readonly string[]): string =>
  relyingParty.publish('sector', { type: 'application/json', body: JSON.stringify(redirectUris) });
