import type { Copy } from './index.ts';

export const de: Copy = {
  lang: 'de',
  dir: 'ltr',
  title: '{page} · {realm}',
  title_with_fault: 'Fehler: {page} · {realm}',
  continue: 'Weiter',

  sign_in: 'Anmelden',
  to_continue_to: 'und weiter zu {client}',
  username: 'Benutzername',
  username_missing: 'Geben Sie Ihren Benutzernamen ein.',

  password_title: 'Passwort eingeben',
  signing_in_as: 'Anmeldung als {username}',
  password: 'Passwort',
  password_missing: 'Geben Sie Ihr Passwort ein.',
  password_refused:
    'Wir konnten Sie nicht anmelden. Prüfen Sie Benutzernamen und Passwort. Warten Sie nach mehreren Versuchen eine Weile, oder wenden Sie sich an Ihre Administration.',
  password_busy:
    'Gerade melden sich sehr viele Menschen an. Ihr Passwort wurde nicht geprüft; versuchen Sie es in einigen Sekunden noch einmal.',
  change_account: 'Anderes Konto verwenden',

  consent_title: '{client} bittet um Zugriff auf Ihr Konto',
  consent_host: 'Diese Anwendung kommt von {host}. Nur das ist gewiss: Ihren Namen hat sie sich selbst gegeben.',
  consent_returns: 'Wenn Sie zustimmen, erhält {host} diesen Zugriff.',
  consent_returns_device:
    'Wenn Sie zustimmen, erhält ein Programm auf diesem Gerät diesen Zugriff, unter {host}. Stimmen Sie nur zu, wenn Sie es gerade selbst gestartet haben.',
  consent_resource: '{resource} in Ihrem Namen verwenden',
  signed_in_as: 'Angemeldet als {username}',
  consent_items: 'Wenn Sie zustimmen, kann diese Anwendung:',
  allow: 'Zulassen',
  deny: 'Ablehnen',
  policy: 'Datenschutzerklärung',
  terms: 'Nutzungsbedingungen',
  scope_openid: 'Sie wiedererkennen',
  scope_profile: 'Ihren Namen und Ihr Profil sehen',
  scope_email: 'Ihre E-Mail-Adresse sehen',
  scope_address: 'Ihre Postanschrift sehen',
  scope_phone: 'Ihre Telefonnummer sehen',
  scope_offline_access: 'Diesen Zugriff auch in Ihrer Abwesenheit behalten',

  device_code_title: 'Ein Gerät verbinden',
  device_code_lead:
    'Geben Sie den Code ein, den Ihr Gerät anzeigt. Groß- und Kleinschreibung, Leerzeichen und Bindestriche spielen keine Rolle.',
  device_code: 'Code',
  device_code_missing: 'Geben Sie den Code ein.',
  device_code_refused:
    'Dieser Code ist nicht bekannt oder nicht mehr gültig. Prüfen Sie ihn, oder beginnen Sie am Gerät neu.',
  device_title: 'Ein Gerät mit {client} verbinden?',
  device_compare: 'Ihr Gerät muss genau diesen Code anzeigen:',
  device_asked_at: 'Angefragt',
  device_address: 'Von der Adresse',
  device_agent: 'Es nennt sich',
  device_warning_title: 'Hat Sie jemand hierher geschickt?',
  device_warning:
    'Dann lehnen Sie ab. Wer das Gerät hat, handelt in Ihrem Namen. Niemand, auch keine Hotline, braucht einen Code oder Link, mit dem Sie nicht selbst an einem eigenen Gerät begonnen haben.',
  device_approved_title: 'Ihr Gerät ist verbunden',
  device_approved_lead:
    'Machen Sie am Gerät weiter: {client} merkt es in wenigen Sekunden. Sie können diese Seite schließen.',
  device_denied_title: 'Das Gerät wurde nicht verbunden',
  device_denied_lead: '{client} erhält auf diesem Gerät nichts. Sie können diese Seite schließen.',
  device_gone_title: 'Dieser Code gilt nicht mehr',
  device_gone_lead:
    'Er wurde schon verwendet oder ist abgelaufen. Beginnen Sie an dem Gerät neu, auf dem {client} läuft.',
  device_enter_another: 'Anderen Code eingeben',

  error_title: 'Etwas ist schiefgegangen',
  error_request_invalid: 'Die Anwendung hat eine Anfrage geschickt, die dieser Server nicht annehmen kann.',
  error_client_unknown: 'Die Anwendung, von der Sie kommen, ist diesem Server nicht bekannt.',
  error_client_document_refused:
    'Die Anwendung, von der Sie kommen, beschreibt sich unter einer eigenen Adresse, und was dort steht, kann dieser Server nicht annehmen. Das muss beheben, wer die Anwendung herstellt.',
  error_client_document_unavailable:
    'Die Anwendung, von der Sie kommen, beschreibt sich unter einer eigenen Adresse, die gerade nicht antwortet. Versuchen Sie es gleich noch einmal.',
  error_redirect_uri_unregistered:
    'Die Anwendung wollte Sie an eine Adresse weiterleiten, die für sie nicht registriert ist.',
  error_cookies_blocked:
    'Ihr Browser hat unser Cookie nicht mitgeschickt. Erlauben Sie Cookies für diese Seite und beginnen Sie neu.',
  error_not_found: 'Unter dieser Adresse gibt es keine Seite.',
  error_server_error: 'Der Fehler liegt bei uns. Versuchen Sie es gleich noch einmal.',
  error_sign_in_failed:
    'Sie konnten hierfür nicht angemeldet werden. Versuchen Sie es noch einmal, oder wenden Sie sich an Ihre Administration.',
  error_id: 'Wenn Sie um Hilfe bitten, nennen Sie diese Fehlernummer:',
  back_to_application: 'Zurück zur Anwendung',
  back_to: 'Zurück zu {client}',

  sign_out_title: 'Möchten Sie sich abmelden?',
  sign_out_lead: 'Sie sind angemeldet als {username}.',
  sign_out: 'Abmelden',
  stay: 'Angemeldet bleiben',
  signed_out_title: 'Sie sind abgemeldet',
  signed_out_lead: 'Ihre Anmeldung in diesem Browser ist beendet. Sie können diese Seite schließen.',
  signed_out_going_on: 'Wir sagen es Ihren Anwendungen. Gleich geht es weiter.',

  completed_title: 'Sie sind angemeldet',
  completed_lead: 'Diese Anmeldung ist abgeschlossen. Machen Sie in der Anwendung weiter.',
  expired_title: 'Diese Anmeldung ist abgelaufen',
  expired_lead: 'Sie war zu lange offen. Nichts ist verloren: Beginnen Sie in der Anwendung neu.',
  start_again: 'Neu beginnen',
  elsewhere_title: 'Diese Anmeldung wurde in einem anderen Browser begonnen',
  elsewhere_lead:
    'Machen Sie in dem Browser weiter, in dem Sie begonnen haben, oder beginnen Sie in der Anwendung neu.',
  busy_title: 'Bitte versuchen Sie es gleich noch einmal',
  busy_lead: 'Gerade ist mehr zu tun, als wir schaffen. Warten Sie einige Sekunden und versuchen Sie es noch einmal.',
  try_again: 'Noch einmal versuchen',

  form_post_title: 'Einen Moment',
  form_post_lead: 'Wir bringen Sie zurück zu {client}.',
  form_post_lead_unnamed: 'Wir bringen Sie zurück zur Anwendung.',
  form_post_manual: 'JavaScript ist in Ihrem Browser aus. Drücken Sie den Knopf, um weiterzugehen.',

  account_title: 'Ihr Konto',
  account_again_note:
    'Ihre Anmeldung liegt eine Weile zurück. Bevor hier etwas geändert wird, fragen wir noch einmal nach Ihrem Passwort.',
  account_this: '(dieser Browser)',
  account_address: 'von {address}',
  account_sessions: 'Wo Sie angemeldet sind',
  account_session_times: 'Angemeldet {since}, zuletzt verwendet {seen}',
  account_end_others: 'Alle anderen Browser abmelden',
  account_end_everything: 'Überall abmelden und alle Zugriffe beenden',
  account_applications: 'Anwendungen mit Zugriff',
  account_applications_none: 'Keine Anwendung hat Zugriff auf Ihr Konto.',
  account_application_times: 'Seit {since}, zuletzt verwendet {used}',
  account_application_allowed: 'Erlaubt {since}; derzeit nicht in Gebrauch',
  account_offline: 'Behält den Zugriff, wenn Sie sich abmelden',
  account_revoke: 'Zugriff entziehen',
  account_devices: 'Bekannte Browser',
  account_devices_lead:
    'In diesen wurde Ihr Passwort eingegeben. Dort können Sie sich auch anmelden, während jemand anderswo falsche Passwörter probiert.',
  account_devices_none: 'Ihrem Konto ist kein Browser bekannt.',
  account_device_times: 'Bekannt seit {since}, Passwort zuletzt eingegeben {proved}',
  account_forget: 'Vergessen',
  account_history: 'Was geschehen ist',
  account_history_none: 'Nichts zu zeigen.',
  account_older: 'Ältere Einträge',
  account_done_end_session: 'Der andere Browser ist abgemeldet.',
  account_done_end_other_sessions: 'Alle anderen Browser sind abgemeldet.',
  account_done_revoke_access: 'Die Anwendung hat keinen Zugriff mehr.',
  account_done_forget_device: 'Der Browser ist nicht mehr bekannt.',
  account_done_nothing: 'Es gab nichts zu ändern: Es war schon beendet.',
  account_done_again:
    'Danke, dass Sie sich noch einmal angemeldet haben. Geändert wurde noch nichts; Sie können es jetzt tun.',

  event_session_started: 'Angemeldet',
  event_session_ended: 'Abgemeldet',
  event_password_accepted: 'Das richtige Passwort wurde eingegeben',
  event_password_refused: 'Ein falsches Passwort wurde eingegeben',
  event_password_untried: 'Ein Versuch wurde abgewiesen, weil es zu viele gewesen waren',
  event_lockout_started: 'Zu viele falsche Passwörter: Weitere Versuche von dort werden eine Weile abgewiesen',
  event_lockout_cleared: 'Versuche werden wieder angenommen',
  event_signed_out_everywhere: 'Überall abgemeldet',
  event_password_set: 'Das Passwort wurde geändert',
  event_device_forgotten: 'Ein bekannter Browser wurde vergessen',
  event_device_approved: 'Ein Gerät wurde über seinen Code verbunden mit:',
  event_device_denied: 'Einem Gerät, das einen Code anzeigte, wurde der Zugriff verweigert auf:',
  event_consent_granted: 'Einer Anwendung wurde Zugriff erlaubt:',
  event_consent_revoked: 'Einer Anwendung wurde die Erlaubnis entzogen:',
  event_token_revoked: 'Der Zugriff einer Anwendung endete:',
  event_token_reuse:
    'Ein schon verwendeter Zugriff wurde noch einmal vorgelegt, vielleicht von jemand anderem; er wurde beendet:',
  event_code_replayed: 'Eine Anmeldung bei einer Anwendung wurde zweimal vorgelegt; sie wurde beendet:',

  agent_on: '{browser} unter {system}',
  agent_unknown: 'Unbekannter Browser',
  time_utc: '{time} UTC',
};
