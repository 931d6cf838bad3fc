/** An error as it crosses from process to process, where it would lose its code. */
import { messageOf, systemCodeOf } from './errors.ts';

export interface UpkeepError {
  readonly message: string;
  /** The errno name, when it is a system error. */
  readonly code: string | null;
}

export function upkeepErrorOf(error: unknown): UpkeepError {
  return { message: messageOf(error), code: systemCodeOf(error) ?? null };
}

export function errorFrom({ message, code }: UpkeepError): Error {
  const error = Object.assign(new Error(message), code === null ? {} : { code });
  // The stack of this side says nothing about it.
  delete error.stack;
  return error;
}
