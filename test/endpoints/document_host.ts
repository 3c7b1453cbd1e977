/** Somebody else's web server, at https on loopback: it serves client metadata documents and writes down what is asked of it. */
export type DocumentHost = {
  /** Host and port, as people are shown them. */
  readonly host: string;
  readonly url: (path: string) => string;
  /** From now on, at this path. */
  readonly serve: (path: string, answer: () => Response) => void;
  /** A document that is one: of a public client which names itself by the URL at this path. */
  readonly describe: (path: string, members?: object, headers?: { readonly [name: string]: string }) => string;
  readonly askedFor: (path: string) => number;
  readonly stop: () => Promise<void>;
};

const certificates = `${import.meta.dir}/../workers/certificates`;

/** What lets a provider fetch from such a host. */
export const trustsDocumentHosts = {
  LIMEN_OUTBOUND_LOOPBACK: 'true',
  LIMEN_OUTBOUND_CA_FILE: `${certificates}/authority.pem`,
};

export const nativeCallback = 'http://127.0.0.1/callback';

export function startDocumentHost(): DocumentHost {
  const answers = new Map<string, () => Response>();
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: Bun.file(`${certificates}/address.pem`), key: Bun.file(`${certificates}/address.key.pem`) },
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      return answers.get(pathname)?.() ?? new Response(null, { status: 404 });
    },
  });
  const host = `127.0.0.1:${server.port}`;
  const url = (path: string): string => `https://${host}${path}`;
  return {
    host,
    url,
    serve: (path, answer) => answers.set(path, answer),
    describe(path, members = {}, headers = {}) {
      const document = {
        client_id: url(path),
        client_name: 'Example agent',
        redirect_uris: [nativeCallback],
        grant_types: ['authorization_code', 'refresh_token'],
        ...members,
      };
      answers.set(path, () => Response.json(document, { headers }));
      return url(path);
    },
    askedFor: (path) => asked.filter((one) => one === path).length,
    stop: () => server.stop(true),
  };
}
