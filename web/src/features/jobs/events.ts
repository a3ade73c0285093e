/** Events that a server sends (`text/event-stream`), as far as the logs of jobs need them. */

export interface ServerEvent {
  /** `message` of those without a name. */
  name: string;
  data: string;
}

/** The events in an answer, as they come. What is cut off in the middle is none. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/(?:\r\n|\n){2}/);
      // The end of the last may be on its way.
      rest = blocks.pop() ?? '';
      yield* blocks.flatMap(eventOf);
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

function eventOf(block: string): ServerEvent[] {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r\n|\n/)) {
    const [, field, value = ''] = /^([^:]*):? ?([\s\S]*)$/.exec(line) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? [] : [{ name, data: data.join('\n') }];
}
