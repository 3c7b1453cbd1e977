/** OIDC Core §3.1.2.6: what `prompt=none` is answered with where a person would have to be asked. */
export const needsPerson = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];
