/** This program: what lies at its path by now can be another version, after an upgrade, or nothing. */
export const SELF = "/proc/self/exe";
