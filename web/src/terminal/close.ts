/** What a WebSocket close code means for a terminal. The codes are those of protocol/src/terminal/close.rs. */

/** Whether to connect again: at once with back-off, with long pauses, or not at all. */
export type Retry = 'soon' | 'slowly' | 'never';

export function retryAfter(code: number): Retry {
  switch (code) {
    case 1001: // the server restarts
    case 1006: // no close frame arrived: the network, or a refused upgrade
    case 1011: // a defect on the other side
    case 1012: // service restart
      return 'soon';
    case 1013: // the machine's agent stayed away
      return 'slowly';
    default:
      return 'never';
  }
}

/** Our own close, when the person closes a tab. The relay then forgets the viewer. */
export const LEFT = { code: 1000, reason: 'User disconnected' } as const;

/** Our own close of a link that went silent. Not 1000 or 1001: the relay must keep our place. */
export const DEAD_LINK = { code: 4100, reason: 'Link went silent' } as const;

/** Our own close after bytes that make no sense. Connecting again asks for them anew. */
export const BAD_BYTES = { code: 4101, reason: 'Unexpected bytes' } as const;

/** The reason of a close with 1008 that is not about access. */
export const SHELL_REFUSED = 'Shell refused';

/** Why a connection is over, for people. */
export function describeClose(code: number, reason: string): string {
  switch (code) {
    case 1000:
      return 'Disconnected.';
    case 1002:
      return 'This page and the server do not understand each other. Reload the page to get its current version.';
    case 1008:
      if (reason === SHELL_REFUSED) return 'The machine gave no shell.';
      return 'Your access to this machine was withdrawn, or you signed out.';
    case 1009:
      return 'The server refused a message that was too large.';
    case 4000:
      return 'The session was ended because nobody typed for too long.';
    case 4008:
      return 'The session was ended by its owner or an administrator.';
    case 4009:
      return 'This terminal was opened in another window.';
    default:
      return reason === ''
        ? `The server closed the connection (code ${code}).`
        : `The server closed the connection: ${reason}.`;
  }
}
