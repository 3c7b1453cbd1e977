/** What every page may show and needs for its forms. */
export type PageContext = {
  readonly issuer: string;
  readonly baseUrl: string;
  readonly formToken: string;
  /** By client_id. The primary one signs in unless the visitor chooses the other. */
  readonly clients: { readonly primary: string; readonly secondary: string | null };
  readonly users: readonly { readonly username: string; readonly password: string }[];
};
