// Bounds of the terminal protocol. The first group is agreed with the relay (protocol/src/limits.rs); the second is ours.

/** Largest payload of one binary frame, in bytes. */
export const MAX_PAYLOAD = 64 * 1024;

/** How much input may be on its way without having been acknowledged, in bytes. More waits here. */
export const INPUT_WINDOW = 256 * 1024;

/** Acknowledge after this many consumed bytes… */
export const ACK_BYTES = 64 * 1024;

/** …or this long after the first unacknowledged one was consumed. */
export const ACK_DELAY_MS = 50;

/** Bounds of a terminal's width and height, both inclusive. */
export const MIN_SIDE = 1;
export const MAX_SIDE = 1000;

/** Largest snapshot of a screen that is kept until it is whole, in bytes. Usual ones have some 100 KiB. */
export const MAX_SNAPSHOT = 32 * 1024 * 1024;

/** Input that waits for the machine, in bytes. Above it typing is refused, so that a paste cannot fill the memory. */
export const MAX_QUEUED_INPUT = 16 * 1024 * 1024;
