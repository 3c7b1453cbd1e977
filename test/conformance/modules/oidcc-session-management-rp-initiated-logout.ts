import { endpoint } from '../steps/discovery.ts';
import { mustBeSignedOut, mustReturn, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-session-management-rp-initiated-logout',
  summary: 'The frame says unchanged while a person is signed in, and changed after the sign-out.',
  async run(environment) {
    const { browser, client } = environment;
    const { visit: signedIn } = await signIn(environment);
    const state = signedIn.end.kind === 'relying_party' ? signedIn.end.request.query.get('session_state') : null;
    must(state !== null && /^[^ ]+$/.test(state), `session_state is ${state}`);
    const frame = endpoint(environment, 'check_session_iframe');
    const mustSay = async (message: string, expected: string): Promise<void> => {
      const said = await browser.askFrame(frame, message);
      must(said === expected, `the frame says ${String(said)}, not ${expected}`);
    };
    await mustSay(`${client.clientId} ${state}`, 'unchanged');
    await mustSay(client.clientId, 'error');
    const signedOut = await signOut(environment, (whole) => whole);
    mustReturn(environment, signedOut.visit, signedOut.state);
    await mustSay(`${client.clientId} ${state}`, 'changed');
    await mustBeSignedOut(environment);
  },
});
