/** Ports of `localhost` that nobody listens on at the moment of asking, all different. */
export function freePorts(count: number): readonly number[] {
  const servers = Array.from({ length: count }, () =>
    Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() }),
  );
  const ports = servers.map(({ port }) => port ?? 0);
  for (const server of servers) void server.stop(true);
  return ports;
}
