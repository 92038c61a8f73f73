/** Semantic versions, as far as saving needs them. */

const PARTS = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?/;

export type Step = "major" | "minor" | "patch";

/** The version after this one. */
export function bumped(version: string, step: Step = "patch"): string {
  const [, major = "0", minor = "1", patch = "0", pre] = PARTS.exec(version) ?? [];
  if (pre !== undefined && step === "patch") return `${major}.${minor}.${patch}`;
  if (step === "major") return `${Number(major) + 1}.0.0`;
  if (step === "minor") return `${major}.${Number(minor) + 1}.0`;
  return `${major}.${minor}.${Number(patch) + 1}`;
}

/** A version that is free: the wanted one, or the next patch of it that nobody has registered. */
export function freeVersion(wanted: string, taken: readonly string[]): string {
  let version = wanted;
  while (taken.includes(version)) version = bumped(version);
  return version;
}
