import { isExecutable } from './executable.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const;

const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The browser for tests: the file that `CHROMIUM_PATH` names, else the first known name on the PATH; null: there is none. */
export function findChromium(
  environment: { readonly [name: string]: string | undefined } = process.env,
): string | null {
  const named = environment['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : null;
  const folders = (environment['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  const candidates = [...names.flatMap((name) => folders.map((folder) => `${folder}/${name}`)), ...places];
  return candidates.find((path) => isExecutable(path)) ?? null;
}
