import type { Terminal } from './deps.ts';

/** The terminal of this process. */
export const processTerminal = (): Terminal => ({
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  readAll: () => new Response(Bun.stdin.stream()).text(),
  askSecret,
});

/** Asks without echo. Ends the process as Ctrl-C does if that is pressed. */
function askSecret(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  process.stdin.setRawMode(true);
  process.stdin.setEncoding('utf8');
  return new Promise((resolve) => {
    let typed = '';
    const end = (): void => {
      process.stdin.off('data', onData).setRawMode(false).pause();
      process.stderr.write('\n');
    };
    const onData = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n') {
          end();
          resolve(typed);
          return;
        }
        if (character === '\u0003') {
          end();
          process.kill(process.pid, 'SIGINT');
          return;
        }
        typed = character === '\u007f' || character === '\b' ? typed.slice(0, -1) : typed + character;
      }
    };
    process.stdin.on('data', onData).resume();
  });
}
