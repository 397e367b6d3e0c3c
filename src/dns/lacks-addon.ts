import { SysError } from '../sys/index.ts'

const codes = [
  'PACKAGE_MISSING',
  'ARTEFACT_MISSING',
  'ARTEFACT_DAMAGED',
  'ADDON_STALE',
  'ADDON_REFUSED',
  'GLIBC_OLD',
]

/** True for the failure of a machine on which the addon is not there, or of no use. */
export function lacksAddon(failure: unknown): boolean {
  return failure instanceof SysError && codes.includes(failure.code)
}
