import { html, type Safe } from '../../../login/html.ts';
import type { Notice, Presentation } from '../notice.ts';

/** What the last button did: a headline, what it means, and each request with the provider's own answer. */
export function noticeView(notice: Notice): Safe {
  const { tone, headline, meaning } = words(notice);
  const presentations = 'presentations' in notice ? notice.presentations : [];
  return html`<div id="notice" class="notice ${tone}" role="status">
<p><strong>${headline}</strong> ${meaning}</p>
${presentations.length > 0 && html`<ol id="provider-answer" class="exchange">${presentations.map(exchangeView)}</ol>`}
</div>`;
}

function exchangeView({ generation, fingerprint, answer }: Presentation): Safe {
  const question = html`<span>Generation ${generation} <code>${fingerprint}</code></span>`;
  if (answer.accepted) {
    const heir = answer.outcome === 'rotated' ? 'new' : 'the same';
    return html`<li data-accepted="yes">${question}<span class="answer"><code>200</code> access token, and ${heir} refresh token: generation ${answer.generation}</span></li>`;
  }
  const { fault } = answer;
  const status = fault.kind === 'refused' ? fault.status : null;
  const [code, text] =
    fault.kind === 'unacceptable' || fault.kind === 'unreachable'
      ? [fault.kind, fault.reason]
      : [fault.error, fault.description];
  return html`<li data-accepted="no">${question}<span class="answer">${status !== null && html`<code>${status}</code> `}<code class="error">${code}</code> ${text}</span></li>`;
}

type Words = { readonly tone: 'good' | 'bad' | 'plain'; readonly headline: string; readonly meaning: string };

function words(notice: Notice): Words {
  switch (notice.name) {
    case 'no_refresh_token':
      return { tone: 'plain', headline: 'No refresh token.', meaning: 'The provider gives this client none.' };
    case 'too_few_generations':
      return {
        tone: 'plain',
        headline:
          notice.refreshesMissing === 1
            ? 'Refresh once more first.'
            : `Refresh ${notice.refreshesMissing} times first.`,
        meaning: 'There is no refresh token old enough to present again.',
      };
    case 'refreshed':
      return refreshedWords(notice.presentations);
    case 'replayed_parent':
      return parentWords(notice.presentations);
    case 'replayed_oldest':
      return oldestWords(notice.presentations);
  }
}

type Presentations = readonly Presentation[];

function refreshedWords([presented]: Presentations): Words {
  if (presented?.answer.accepted !== true) return refusedWords(presented);
  return presented.answer.outcome === 'rotated'
    ? {
        tone: 'good',
        headline: 'Rotated.',
        meaning: 'A new access token, and a new refresh token in place of the one just used.',
      }
    : { tone: 'good', headline: 'Refreshed.', meaning: 'A new access token; the provider keeps this refresh token.' };
}

const refusedWords = (presented: Presentation | undefined): Words =>
  isInvalidGrant(presented)
    ? { tone: 'bad', headline: 'Refused.', meaning: 'This family has ended. Only a new sign-in starts another.' }
    : { tone: 'bad', headline: 'No usable answer.', meaning: 'Whether the family lives is not known; try again.' };

function parentWords([parent, current]: Presentations): Words {
  if (parent?.answer.accepted === true) {
    return parent.answer.outcome === 'same'
      ? {
          tone: 'good',
          headline: 'The same heir again.',
          meaning:
            'The parent was answered with the current refresh token, not with another one. A client that lost the answer to its refresh (a crash, a second tab, a dropped connection) simply asks again.',
        }
      : { tone: 'plain', headline: 'Another heir.', meaning: 'The provider made a further refresh token.' };
  }
  return isInvalidGrant(current)
    ? {
        tone: 'bad',
        headline: 'Too late: taken for reuse.',
        meaning: 'The parent is no longer excused, so the family ended, the current refresh token with it.',
      }
    : {
        tone: 'plain',
        headline: 'Refused.',
        meaning: 'The parent was refused; the current refresh token still works.',
      };
}

function oldestWords([oldest, current]: Presentations): Words {
  if (oldest?.answer.accepted === true) {
    return {
      tone: 'plain',
      headline: 'Accepted.',
      meaning: 'This provider does not take an old refresh token for reuse.',
    };
  }
  if (!isInvalidGrant(oldest)) return refusedWords(oldest);
  return isInvalidGrant(current)
    ? {
        tone: 'bad',
        headline: 'Reuse detected: the family is dead.',
        meaning:
          'Only a stale copy or a thief presents a token this old, and the provider cannot tell which. It refused the token and ended the whole family: the current one, tried right after, is refused too.',
      }
    : { tone: 'plain', headline: 'Refused.', meaning: 'The old token was refused; the current one still works.' };
}

const isInvalidGrant = (presented: Presentation | undefined): boolean =>
  presented?.answer.accepted === false &&
  presented.answer.fault.kind === 'refused' &&
  presented.answer.fault.error === 'invalid_grant';
