/** Names of services that the records did not give, wherever records are counted by service. */

/** Service of records that name none. */
export const UNKNOWN_SERVICE = 'unknown';

/**
 * All services beyond a limit on distinct names, counted together. Every place that counts by service is
 * bounded and uses this name, so that sums of bounded counts are bounded counts. The stored lines keep
 * their own names.
 */
export const OTHER_SERVICES = '(other)';
