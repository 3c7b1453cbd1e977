/** An open door: the other side of the threshold. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f6b5c"/><path d="M10 25V8.5A1.5 1.5 0 0 1 11.5 7h9A1.5 1.5 0 0 1 22 8.5V25" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/><path d="M10 25l7-3V10l-7-3z" fill="#fff"/><path d="M7 25h18" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>
`;
