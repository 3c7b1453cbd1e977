import { isJson } from '../steps/discovery.ts';
import { jsonObject, parseJson, textOf } from '../steps/json.ts';
import { defineModule } from '../steps/module.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-3rd_party-init-login',
  summary: 'initiate_login_uri is kept and shown again.',
  async run(environment) {
    const initiate_login_uri = 'https://rp.example/login';
    const { registered } = await environment.register({ initiate_login_uri });
    must(registered?.['initiate_login_uri'] === initiate_login_uri, 'the registration does not answer it');
    const authorization = `Bearer ${textOf(registered, 'registration_access_token')}`;
    const response = await fetch(textOf(registered, 'registration_client_uri') ?? '', { headers: { authorization } });
    must(response.status === 200 && isJson(response.headers), `the registration is shown with ${response.status}`);
    const shown = jsonObject(parseJson(await response.text()));
    must(shown?.['initiate_login_uri'] === initiate_login_uri, 'the registration does not show it');
  },
});
