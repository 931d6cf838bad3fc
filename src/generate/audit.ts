/** Security and compliance events, as services report them. */
import { weightedTable } from './random.ts';

export interface AuditKind {
  readonly eventType: string;
  readonly message: string;
  readonly outcome: 'success' | 'failure';
  readonly resource: string;
}

const ROWS: readonly (readonly [AuditKind, number])[] = [
  [audit('login', 'user signed in', 'success', 'session'), 10],
  [audit('login_failed', 'sign-in refused', 'failure', 'session'), 4],
  [audit('access_denied', 'access denied', 'failure', 'admin-console'), 3],
  [audit('role_change', 'role of a user changed', 'success', 'role'), 2],
  [audit('password_change', 'password changed', 'success', 'account'), 2],
  [audit('data_export', 'personal data exported', 'success', 'customer-records'), 2],
  [audit('data_deletion', 'personal data deleted', 'success', 'customer-records'), 1],
];

export const AUDIT_KINDS: readonly AuditKind[] = weightedTable(ROWS, 200);

function audit(
  eventType: string,
  message: string,
  outcome: AuditKind['outcome'],
  resource: string,
): AuditKind {
  return { eventType, message, outcome, resource };
}
