import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { launchers } from '../../src/demo/launcher.ts';

describe('which ancestors have to live', () => {
  test.each<[string, readonly string[], number]>([
    [
      'npx',
      ['/x/_npx/1/node_modules/.bin/bun run demo', 'sh -c bun run demo', 'npm exec bun@1.4.5 run demo', '-bash'],
      3,
    ],
    ['bun run', ['bun run demo', '-bash', 'sshd'], 1],
    ['bun run by path', ['/usr/bin/bun run demo', 'make demo'], 1],
    ['a shell', ['-bash', 'sshd'], 0],
    ['a supervisor', ['/sbin/init'], 0],
    ['a test', ['bun test', '-bash'], 0],
    ['nothing', [], 0],
  ])('started by %s', (_, commands, watched) => {
    expect(launchers(commands.map((command) => ({ command }))).map(({ command }) => command)).toEqual(
      commands.slice(0, watched),
    );
  });
});

describe('a launcher that is killed', () => {
  const fixture = join(import.meta.dir, 'launcher_fixture.ts');

  /** The chain of npx: a process titled `npm exec …`, below it a shell, below that the program. */
  const launch = (title: string) =>
    Bun.spawn(
      [
        'bash',
        '-c',
        'exec -a "$0" bash -c \'sh -c "\\"\\$0\\" \\"\\$1\\"; :" "$0" "$1"; :\' "$1" "$2"',
        title,
        process.execPath,
        fixture,
      ],
      {
        stdout: 'pipe',
      },
    );

  test.each(['SIGTERM', 'SIGHUP', 'SIGKILL'] as const)('%s to npx alone ends the demo', async (signal) => {
    const npx = launch('npm exec bun@1.4.5 run demo');
    const reader = npx.stdout.getReader();
    expect(await nextText(reader)).toMatch(/^\d+\n$/);
    npx.kill(signal);
    expect(await nextText(reader)).toBe('gone\n');
  });

  test('another parent is not watched', async () => {
    const shell = launch('make demo');
    const reader = shell.stdout.getReader();
    const demo = Number(await nextText(reader));
    shell.kill('SIGKILL');
    // Longer than the watch would take.
    await Bun.sleep(1_200);
    process.kill(demo, 'SIGTERM');
    expect(await nextText(reader)).toBe('told\n');
  });
});

async function nextText(reader: { read(): Promise<{ value?: Uint8Array | undefined }> }): Promise<string> {
  return new TextDecoder().decode((await reader.read()).value);
}
