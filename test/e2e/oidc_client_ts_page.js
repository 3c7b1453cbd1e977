/** A single-page application: `oidc-client-ts` and four buttons. What happened last stands in `#state` and `#result`. */
import { UserManager } from 'oidc-client-ts';

const { authority } = document.documentElement.dataset;
const { origin, pathname } = location;

const manager = new UserManager({
  authority,
  client_id: 'demo-spa',
  redirect_uri: `${origin}/callback`,
  post_logout_redirect_uri: `${origin}/signed-out`,
  scope: 'openid profile email',
  loadUserInfo: true,
  automaticSilentRenew: false,
});

const show = (state, result) => {
  document.getElementById('state').textContent = state;
  document.getElementById('result').textContent = JSON.stringify(result ?? null);
};

const shown = ({ profile, access_token, refresh_token, scope, expires_in }) => ({
  profile,
  access_token,
  refresh_token,
  scope,
  expires_in,
});

/** Runs one step; a failure is shown by its name and message. */
const step = async (state, work) => {
  show('busy');
  try {
    show(state, await work());
  } catch (thrown) {
    show('failed', { name: thrown.name, message: thrown.message, error: thrown.error });
  }
};

const buttons = {
  'sign-in': () => step('leaving', () => manager.signinRedirect()),
  'sign-in-silently': () => step('leaving', () => manager.signinRedirect({ prompt: 'none' })),
  renew: () => step('renewed', async () => shown(await manager.signinSilent())),
  userinfo: () =>
    step('userinfo', async () => {
      const { access_token } = await manager.getUser();
      const { userinfo_endpoint } = await manager.metadataService.getMetadata();
      const response = await fetch(userinfo_endpoint, { headers: { authorization: `Bearer ${access_token}` } });
      return response.json();
    }),
  revoke: () => step('revoked', () => manager.revokeTokens(['refresh_token'])),
  'sign-out': () => step('leaving', () => manager.signoutRedirect({ state: 'good bye' })),
};
for (const [id, press] of Object.entries(buttons)) document.getElementById(id).addEventListener('click', press);

if (pathname === '/callback') {
  await step('signed in', async () => shown(await manager.signinCallback()));
} else if (pathname === '/signed-out') {
  await step('signed out', async () => (await manager.signoutCallback()).userState);
} else {
  show('ready');
}
