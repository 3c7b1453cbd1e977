import type { UserRecord, UserRefusal } from '../../store/users.ts';
import { formatRecord } from '../output.ts';
import { shownInstant } from '../realm/view.ts';

export const userDocument = (user: UserRecord) => ({
  id: user.id,
  username: user.username,
  enabled: user.enabled,
  has_password: user.hasPassword,
  claims: user.claims,
  created_at: shownInstant(user.createdAt),
  updated_at: shownInstant(user.updatedAt),
});

export const userText = (user: UserRecord): string =>
  formatRecord([
    ['username', user.username],
    ['id', user.id],
    ['enabled', user.enabled],
    ['password', user.hasPassword],
    ['created', shownInstant(user.createdAt)],
    ...Object.entries(user.claims).map(
      ([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : value] as const,
    ),
  ]);

const sentences = {
  username_invalid: 'a username is 1 to 255 characters, none of them invisible',
  username_taken: 'somebody in this realm already has this username, as username or as e-mail address',
  email_taken: 'somebody in this realm already has this e-mail address, as e-mail address or as username',
  unknown_realm: 'there is no such realm',
  unknown_user: 'there is no such user in this realm',
} as const satisfies { readonly [Refusal in UserRefusal]: string };

export const explainUserRefusal = (refusal: UserRefusal): readonly string[] => [sentences[refusal]];
