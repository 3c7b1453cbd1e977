import { findApache } from './apache.ts';
import { findChromium } from './chromium.ts';

/** Programs that a suite cannot run without. Where one is missing its suites fail in CI and are skipped, loudly, elsewhere. */
export type Need = 'chromium' | 'apache';

type Environment = { readonly [name: string]: string | undefined };

type Program = {
  /** What tells the suite where the program is; null: it is not there. */
  readonly find: (environment?: Environment) => { readonly [variable: string]: string } | null;
  readonly missing: string;
};

const programs: { readonly [Name in Need]: Program } = {
  chromium: {
    find: (environment) => {
      const path = findChromium(environment);
      return path === null ? null : { CHROMIUM_PATH: path };
    },
    missing: 'NO CHROMIUM FOUND: THE BROWSER TESTS DID NOT RUN. Install it, or name it with CHROMIUM_PATH.',
  },
  apache: {
    find: (environment) => (findApache(environment) === null ? null : {}),
    missing:
      'NO APACHE WITH mod_auth_openidc FOUND: ITS TESTS DID NOT RUN. Install apache2-bin and libapache2-mod-auth-openidc.',
  },
};

export type Found = {
  /** For the suite's process. */
  readonly variables: { readonly [variable: string]: string };
  /** One sentence for each that is not there. */
  readonly missing: readonly string[];
};

export function findPrograms(needs: readonly Need[], environment: Environment = process.env): Found {
  const found = needs.map((need) => ({ need, variables: programs[need].find(environment) }));
  return {
    variables: Object.assign({}, ...found.map(({ variables }) => variables)),
    missing: found.filter(({ variables }) => variables === null).map(({ need }) => programs[need].missing),
  };
}
