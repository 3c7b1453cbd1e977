/** One JSON line per event. Values go through `Secret`, which never prints; an error gives its name and stack, no cause. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = { readonly [field: string]: unknown };
export type Log = { readonly [Level in LogLevel]: (event: string, fields?: LogFields) => void };

const severity: { readonly [Level in LogLevel]: number } = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLog(least: LogLevel, write: (line: string) => void, now: () => number): Log {
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (severity[level] < severity[least]) return;
      write(JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...printable(fields) }));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const printable = (fields: LogFields): LogFields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? describe(value) : value]),
  );

const describe = ({ name, message, stack }: Error): LogFields => ({
  name,
  message,
  stack: stack?.split('\n').slice(1, 12),
});

export const silentLog: Log = createLog(
  'error',
  () => {},
  () => 0,
);
