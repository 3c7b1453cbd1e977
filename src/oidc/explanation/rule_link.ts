/** Documents of the OpenID Foundation by the names that rules have for them. */
const documents: { readonly [name: string]: string } = {
  'OIDC Core': 'https://openid.net/specs/openid-connect-core-1_0.html',
  'OIDC Registration': 'https://openid.net/specs/openid-connect-registration-1_0.html',
  'OIDC RP-Initiated Logout': 'https://openid.net/specs/openid-connect-rpinitiated-1_0.html',
  'OIDC Front-Channel Logout': 'https://openid.net/specs/openid-connect-frontchannel-1_0.html',
  'OIDC Session Management': 'https://openid.net/specs/openid-connect-session-1_0.html',
  'OAuth Multiple Response Types': 'https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html',
};

/** Where a rule can be read: an RFC at its section, another document as a whole; null: it is one of our own. */
export function ruleLink(rule: string): string | null {
  const [, number, section] = /^RFC (\d+)(?: §([\d.]+))?/.exec(rule) ?? [];
  if (number !== undefined) {
    return `https://www.rfc-editor.org/rfc/rfc${number}${section === undefined ? '' : `#section-${section}`}`;
  }
  const name = Object.keys(documents).find((known) => rule.startsWith(known));
  return name === undefined ? null : (documents[name] ?? null);
}
