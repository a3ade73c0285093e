/** One terminal, whole: the socket, the stream over it and the terminal it draws on, and what they are doing. */
import { BAD_BYTES, LEFT, retryAfter } from './close';
import { ENDED_SHOWN, type SeenCommand, withNews } from './commands';
import { type CommandEnded, type CommandRunning, type Exit, type Person, PING, type Size, SUBPROTOCOL } from './messages';
import { Socket, type SocketState } from './socket';
import { type Status, statusOf } from './status';
import { type StreamEvent, ViewerStream } from './stream';
import { type Look, Terminal } from './terminal';
import { Unconfirmed } from './unconfirmed';

export interface ConnectionOptions {
  viewer: string;
  look: Look;
  /** Where to connect; asked before each attempt. */
  url(size: Size, signal: AbortSignal): Promise<string>;
  /** Why attempts fail: a reason to give up, or `null`. */
  refused(): Promise<string | null>;
}

export class Connection {
  readonly terminal: Terminal;
  readonly #socket: Socket;
  readonly #stream: ViewerStream;
  readonly #unconfirmed: Unconfirmed;
  readonly #forget: AbortController = new AbortController();
  #socketState = $state.raw<SocketState>({ name: 'connecting' });
  #attached = $state(false);
  #canType = $state(true);
  #online = $state(true);
  #exit = $state.raw<Exit | null>(null);
  #farewell = $state<string | null>(null);
  #failure = $state<string | null>(null);
  #started = false;
  /** The terminal's size. */
  #size = $state.raw<Size>({ cols: 80, rows: 24 });
  /** What this window has room for. */
  #room: Size = { cols: 80, rows: 24 };
  #late = $state(false);
  #typed = false;
  /** Whose window sets the size, if it is another than this one; empty if nobody says. */
  sizedBy = $state<string | null>(null);
  /** A paste that the person is asked about: the program would run its lines at once. */
  pasting = $state<string | null>(null);
  /** A remark on what just happened, such as lost output. */
  notice = $state<string | null>(null);
  /** Commands without a terminal that run on the machine, or have just ended there. */
  commands = $state.raw<readonly SeenCommand[]>([]);
  /** Who is at the terminal, this person included; empty if the relay does not say. */
  people = $state.raw<readonly Person[]>([]);
  /** The title that the program in the terminal chose. */
  title = $state('');
  /** Whether the key row's Ctrl is held. */
  control = $state(false);
  /** Input that has not reached the shell, in bytes. */
  pendingInput = $state(0);

  constructor(options: ConnectionOptions) {
    this.terminal = new Terminal(options.look, {
      onInput: (bytes) => this.#type(bytes),
      onPaste: (text) => (this.pasting = text),
      onTitle: (title) => (this.title = title),
      onControlUsed: () => (this.control = false),
    });
    this.#socket = new Socket({
      url: (signal) => options.url(this.#room, signal),
      refused: () => options.refused(),
      protocol: SUBPROTOCOL,
      ping: PING,
      retry: retryAfter,
      onState: (state) => this.#socketChanged(state),
      onMessage: (data) => {
        this.#stream.message(data);
        this.#inputMoved();
      },
    });
    this.#stream = new ViewerStream(options.viewer, this.#size, {
      send: (data) => this.#socket.send(data),
      write: (bytes, history, consumed) => this.terminal.write(bytes, history, consumed),
      reset: () => this.terminal.reset(),
      resize: (size) => this.terminal.afterWrites(() => this.#setSize(size)),
      abandon: () => this.#socket.abandon(BAD_BYTES),
      after,
      event: (event) => this.#happened(event),
    });
    this.#unconfirmed = new Unconfirmed({
      after,
      late: (late) => {
        this.#late = late;
        if (late) this.#socket.probe();
      },
    });
    const { signal } = this.#forget;
    window.addEventListener('online', () => this.#socket.wake(), { signal });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#socket.wake(), {
      signal,
    });
  }

  get status(): Status {
    return statusOf(this.#socketState, {
      attached: this.#attached,
      canType: this.#canType,
      late: this.#late,
      online: this.#online,
      exit: this.#exit,
      farewell: this.#farewell,
      failure: this.#failure,
    });
  }

  get size(): Size {
    return this.#size;
  }

  /** Whether keys of this person go to the shell; a guest may only watch. */
  get canType(): boolean {
    return this.#canType;
  }

  /** Whether a shell runs here that the person typed into on this page. */
  get isInUse(): boolean {
    const { name } = this.status;
    return this.#typed && name !== 'ended' && name !== 'closed';
  }

  /** Says what room there is where the terminal is, and connects the first time. */
  fit(): void {
    const size = this.terminal.measure();
    if (!size) return;
    this.#room = size;
    this.#stream.resize(size);
    if (!this.#started) this.connect();
  }

  /** Goes on with the paste that the person was asked about: with this text, or without. */
  paste(text: string | null): void {
    this.pasting = null;
    if (text !== null) this.terminal.paste(text);
    this.terminal.focus();
  }

  /** Connects now: the first time, after a refusal, or instead of waiting. */
  connect(): void {
    this.#started = true;
    this.#farewell = null;
    this.#socket.open();
  }

  holdControl(held: boolean): void {
    this.control = held;
    this.terminal.holdControl(held);
  }

  /** Leaves: the shell goes on, this viewer is forgotten. */
  leave(): void {
    this.#forget.abort();
    this.#stream.closed();
    this.#socket.close(LEFT);
    this.terminal.dispose();
  }

  #type(bytes: Uint8Array): void {
    if (this.status.name === 'ended' || this.status.name === 'closed') return;
    this.#typed = true;
    if (!this.#stream.type(bytes)) {
      this.notice = this.#canType
        ? 'Too much input is waiting for the machine. What you just typed was not taken.'
        : 'You are watching this terminal and cannot type.';
    }
    this.#inputMoved();
  }

  #inputMoved(): void {
    this.pendingInput = this.#stream.pendingInput;
    this.#unconfirmed.pending(this.pendingInput);
  }

  #setSize(size: Size): void {
    this.#size = size;
    this.terminal.resize(size);
  }

  #socketChanged(state: SocketState): void {
    this.#socketState = state;
    if (state.name === 'open') {
      // Until told otherwise; the greeting is answered with how it is.
      this.#online = true;
      this.#stream.opened();
    } else {
      this.#attached = false;
      this.people = [];
      this.#stream.closed();
    }
  }

  /** Shows a command no more. */
  dismissCommand(id: string): void {
    this.commands = this.commands.filter((command) => command.id !== id);
  }

  #saw(command: CommandRunning | CommandEnded): void {
    this.commands = withNews(this.commands, command);
    if (command.type === 'command_ended') after(ENDED_SHOWN, () => this.dismissCommand(command.command_id));
  }

  #happened(event: StreamEvent): void {
    switch (event.type) {
      case 'attached':
        this.#attached = true;
        this.#failure = null;
        this.#online = true;
        this.#canType = event.canType;
        break;
      case 'sized':
        this.sizedBy = event.own ? null : (event.by ?? '');
        this.terminal.framed = !event.own;
        break;
      case 'agent':
        this.#online = event.online;
        break;
      case 'missing':
        this.notice = `${(event.bytes / 1024 / 1024).toFixed(1)} MiB of output passed before it could be shown here.`;
        break;
      case 'command':
        this.#saw(event.command);
        break;
      case 'presence':
        this.people = event.people;
        break;
      case 'exit':
        this.#exit = event.exit;
        break;
      case 'refused':
        this.notice = event.error;
        break;
      case 'disconnect':
        this.#farewell = event.reason;
        if (event.code === 'internal_error') this.#failure = event.reason;
        break;
    }
  }
}

function after(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}
