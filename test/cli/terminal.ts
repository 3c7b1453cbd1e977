import { type CliDeps, runCli, wireCli } from '../../src/cli/index.ts';
import type { Environment } from '../../src/config.ts';

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

export type Typing = {
  /** What arrives on the standard input. */
  readonly input?: string;
  /** What a person types when asked; absent: nobody is there. */
  readonly typed?: readonly string[];
};

/** Runs one command on the real dependencies, or on those given, and gives what it wrote. */
export async function limen(
  argv: readonly string[],
  environment: Environment = {},
  { input = '', typed }: Typing = {},
  replaced: Partial<CliDeps> = {},
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const answers = [...(typed ?? [])];
  const notHere = async (): Promise<number> => 70;
  const deps = wireCli({
    environment,
    terminal: {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      isInteractive: typed !== undefined,
      readAll: async () => input,
      askSecret: async () => answers.shift() ?? '',
    },
    version: '9.8.7',
    now: Date.now,
    serve: notHere,
    demo: notHere,
  });
  const code = await runCli(argv, { ...deps, ...replaced });
  return { code, out: out.join('\n'), err: err.join('\n') };
}
