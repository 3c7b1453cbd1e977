/** An end in time, or earlier when the request is aborted. `end` must be called. */
export type Deadline = {
  readonly signal: AbortSignal;
  readonly elapsedMilliseconds: () => number;
  readonly end: () => void;
};

export function startDeadline(milliseconds: number, request: AbortSignal | null): Deadline {
  const startedAt = performance.now();
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, milliseconds);
  request?.addEventListener('abort', abort, { once: true });
  if (request?.aborted) abort();
  const elapsedMilliseconds = (): number => performance.now() - startedAt;
  return {
    signal: controller.signal,
    elapsedMilliseconds,
    end: () => {
      clearTimeout(timer);
      request?.removeEventListener('abort', abort);
    },
  };
}

/** Waits; the signal ends it early. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
