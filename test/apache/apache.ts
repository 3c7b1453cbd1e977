import { describe } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Apache, findApache } from '../../check/apache.ts';
import { freePorts } from '../free_port.ts';
import { describeWithout } from '../missing_program.ts';
import { observe } from '../observed_process.ts';

/** What `mod_auth_openidc` is told of its provider; the rest is its defaults. */
export type RelyingParty = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
};

/** An Apache in front of an application, which sees the headers that the module adds. */
export type ProtectedSite = {
  readonly origin: string;
  /** Who comes without a session is sent to the provider. */
  readonly protectedUrl: string;
  readonly redirectUri: string;
  readonly signedOutUrl: string;
  readonly backchannelLogoutUri: string;
  /** Starts it; the provider has to know the addresses before. */
  readonly start: (party: RelyingParty) => Promise<void>;
  readonly errorLog: () => string;
  readonly stop: () => Promise<void>;
};

const modules = [
  'mpm_event',
  'authn_core',
  'authz_core',
  'authz_user',
  'headers',
  'proxy',
  'proxy_http',
  'auth_openidc',
] as const;

type Places = { readonly folder: string; readonly port: number; readonly application: string };

/** As an ordinary site would have it. `User` counts only for root, whose children must be somebody else. */
function configuration(apache: Apache, { folder, port, application }: Places, party: RelyingParty): string {
  const passphrase = crypto.randomUUID();
  return `
ServerRoot "${folder}"
DefaultRuntimeDir "${folder}"
PidFile "${folder}/pid"
ErrorLog "${folder}/error.log"
LogLevel warn auth_openidc:info
Listen 127.0.0.1:${port}
ServerName 127.0.0.1:${port}
${modules.map((name) => `LoadModule ${name}_module "${apache.modules}/mod_${name}.so"`).join('\n')}
${process.getuid?.() === 0 ? 'User #65534\nGroup #65534' : ''}
StartServers 1
ThreadsPerChild 16
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16

OIDCProviderMetadataURL ${party.issuer}/.well-known/openid-configuration
OIDCClientID ${party.clientId}
OIDCClientSecret ${party.clientSecret}
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRedirectURI http://127.0.0.1:${port}/protected/redirect_uri
OIDCDefaultLoggedOutURL http://127.0.0.1:${port}/signed-out
OIDCCryptoPassphrase ${passphrase}
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCPassRefreshToken On

ProxyPass "/protected/redirect_uri" "!"
ProxyPass "/" "${application}/"
<Location "/protected">
  AuthType openid-connect
  Require valid-user
</Location>
<Location "/protected/nobody">
  AuthType openid-connect
  Require claim email:mallory@example.com
</Location>
`;
}

const pollMilliseconds = 50;
const mostPolls = 200;

export function openSite(apache: Apache): ProtectedSite {
  const folder = mkdtempSync(`${tmpdir()}/limen-apache-`);
  // Its children are nobody, and pass through.
  chmodSync(folder, 0o711);
  const application = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ headers, url }) => Response.json({ path: new URL(url).pathname, headers: Object.fromEntries(headers) }),
  });
  const [port = 0] = freePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  const redirectUri = `${origin}/protected/redirect_uri`;
  let server: ReturnType<typeof observe> | null = null;
  const errorLog = (): string => readFileSync(`${folder}/error.log`, 'utf8');
  return {
    origin,
    protectedUrl: `${origin}/protected/page`,
    redirectUri,
    signedOutUrl: `${origin}/signed-out`,
    backchannelLogoutUri: `${redirectUri}?logout=backchannel`,
    async start(party) {
      const file = `${folder}/httpd.conf`;
      writeFileSync(file, configuration(apache, { folder, port, application: application.url.origin }, party));
      server = observe([apache.binary, '-DFOREGROUND', '-f', file], { folder });
      let hasEnded = false;
      void server.exited.then(() => {
        hasEnded = true;
      });
      for (let poll = 0; poll < mostPolls && !hasEnded; poll += 1) {
        const answer = await fetch(`${origin}/`).catch(() => null);
        if (answer?.status === 200) return;
        await Bun.sleep(pollMilliseconds);
      }
      throw new Error(`Apache does not answer:\n${server.output()}`);
    },
    errorLog,
    async stop() {
      server?.signal('SIGTERM');
      await server?.ends();
      await application.stop(true);
      rmSync(folder, { recursive: true });
    },
  };
}

/** A suite with an Apache that has `mod_auth_openidc`. */
export function describeWithApache(name: string, body: (apache: () => Apache) => void): void {
  const apache = findApache();
  if (apache === null) {
    describeWithout(name, 'no Apache with mod_auth_openidc found: install libapache2-mod-auth-openidc', body);
    return;
  }
  describe(name, () => body(() => apache));
}
