/**
 * The end of a sign-in as the protocol sees it: what a sign-out request may do (RP-Initiated Logout), what clients are told
 * and how (Front-Channel and Back-Channel Logout), and how they notice by themselves (Session Management). Must not know
 * HTTP, cookies, how a session is stored, or when something is delivered.
 */
export { type BackchannelLogout, type LogoutNotice, type PreparedLogout, prepareLogout } from './backchannel.ts';
export { decideLogout, type LogoutDecision, type LogoutFacts, logoutParameters } from './end_session.ts';
export { frontchannelLogoutUrls } from './frontchannel.ts';
export { browserStateOf, sessionStateOf } from './session_state.ts';
