/** What a permission lets its holder do in the realms that it is for; the database says who holds which. */
export const actions = {
  'errors.read': 'Resolve error ids: what was refused, by which rule and setting.',
  'settings.read': 'Read settings, with the layer and the reason of each.',
  'settings.write': 'Override settings, and take overrides away.',
} as const satisfies { readonly [action: string]: string };

export type Action = keyof typeof actions;
export const actionNames = Object.keys(actions) as readonly Action[];
